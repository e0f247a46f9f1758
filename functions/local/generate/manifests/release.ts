/** knative/components/release/kustomization.yaml: the images of a release, which prod takes. */
import { registry } from "./platform.ts";
import type { Written } from "./written.ts";

/** `tag` is package.json's version. */
export function releaseImages(names: readonly string[], tag: string): Written {
  return {
    about: "Images of a release: the version is package.json's.",
    object: {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      images: names.map((name) => ({ name, newName: `${registry}/${name}`, newTag: tag })),
    },
  };
}
