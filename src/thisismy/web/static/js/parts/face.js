/** The round picture of an instance, or its first letter. */

import { h } from "../core/dom.js";

export function face(instance) {
  const letter = (instance?.name ?? "?").replace(/^(my|our)\s+/i, "").trim().charAt(0) || "?";
  const box = h("span.face", { "aria-hidden": "true" });
  if (!instance?.picture) {
    box.append(letter);
    return box;
  }
  const image = h("img", { src: instance.picture, alt: "", loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => box.replaceChildren(letter));
  box.append(image);
  return box;
}
