/** skaffold.yaml's two lists: the image of each function, and in profile sync what is carried into its container. */
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
  const images = functions.map(({ name }) => ({
    image: name,
    docker: { dockerfile, buildArgs: { FUNCTION: name } },
  }));
  const development = services.map(({ name }) => ({
    image: name,
    docker: { dockerfile, target: "development", buildArgs: { FUNCTION: name } },
    sync: { manual: [{ src: `functions/{host,${name}}/**/*`, dest: "/app" }] },
  }));
  const profile = indexIn(text, ["profiles"], "sync");
  return withList(
    withList(text, ["build", "artifacts"], images),
    ["profiles", profile, "build", "artifacts"],
    development,
  );
}
