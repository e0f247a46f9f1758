/** skaffold.yaml's lists: the image of each function, with what profile sync carries into it, or what profile debug builds it with. */
import type { Deployable } from "../../discover.ts";
import { indexIn, withList } from "./lists.ts";

const dockerfile = "functions/Dockerfile";

/**
 * What is no file of the function or of the host builds the image. `manual`, since skaffold's `infer` reads the last
 * stage of a Dockerfile alone. No bridge: profile sync does not deploy it, and skaffold gives up carrying a file to all
 * images where one has no container.
 */
export function withArtifacts(text: string, functions: readonly Deployable[]): string {
  const services = functions.filter(({ definition }) => definition?.kind !== "bridge");
  const images = (buildArgs: object) =>
    functions.map(({ name }) => ({
      image: name,
      docker: { dockerfile, buildArgs: { FUNCTION: name, ...buildArgs } },
    }));
  const development = services.map(({ name }) => ({
    image: name,
    docker: { dockerfile, target: "development", buildArgs: { FUNCTION: name } },
    sync: { manual: [{ src: `functions/{host,${name}}/**/*`, dest: "/app" }] },
  }));
  // A profile's list takes the place of the other.
  const listOf = (profile: string) =>
    ["profiles", indexIn(text, ["profiles"], profile), "build", "artifacts"] as const;
  const lists = [
    [["build", "artifacts"], images({})],
    [listOf("sync"), development],
    [listOf("debug"), images({ BUNDLE_OPTIONS: "--debug" })],
  ] as const;
  return lists.reduce((all, [path, list]) => withList(all, path, list), text);
}
