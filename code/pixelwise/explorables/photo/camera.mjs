// A photograph by the camera, where the browser has one to give.
import { button, group } from "../shared/controls.mjs";
import { h } from "../shared/dom.mjs";

/**
 * The camera's button, and what opens below it: its picture, and buttons to take it or to stop.
 * @param {(video: HTMLVideoElement) => void} take
 * @param {(line: string) => void} complain
 * @returns {{ opener: HTMLElement | null, element: HTMLElement, stop: () => void }} `opener` is null without a camera
 */
export function camera(take, complain) {
  const video = h("video", { playsinline: true, "aria-label": "What the camera sees" });
  video.muted = true;
  const stop = () => {
    const stream = /** @type {MediaStream | null} */ (video.srcObject);
    for (const track of stream?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    element.hidden = true;
  };
  const shoot = button("Take the picture", () => {
    if (!video.videoWidth) return;
    take(video);
    stop();
  });
  const row = group("Camera", shoot, button("Close the camera", stop));
  const element = h("div", { class: "camera", hidden: true }, video, row);
  const open = async () => {
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      element.hidden = false;
      await video.play();
      shoot.focus();
    } catch (error) {
      stop();
      complain(`The camera can't be used (${error.name}): allow it in the browser, or choose a file.`);
    }
  };
  const opener = navigator.mediaDevices?.getUserMedia ? button("Use the camera", open) : null;
  return { opener, element, stop };
}
