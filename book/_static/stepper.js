// Several pictures of one cell become one picture with a slider: the cells tagged `stepper`.
// Without this module the pictures stand one below the other, as they do in Colab and on GitHub.

/** The step that a key leads to, or null for any other key. */
export const stepAfterKey = (key, step, count) => {
  const to = { ArrowLeft: step - 1, ArrowRight: step + 1, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.min(Math.max(to, 0), count - 1);
};

/** What is said of a step, to everyone. */
export const label = (step, count) => `step ${step + 1} of ${count}`;

const SECONDS_PER_STEP = 1.2;

const button = (text, name) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", name);
  return made;
};

/** Turn the pictures of one output into a stepper. */
export const mount = (output) => {
  const pictures = [...output.querySelectorAll("img")];
  const count = pictures.length;
  if (count < 2) return;
  output.classList.add("stepper");
  output.setAttribute("role", "group");
  output.setAttribute("aria-label", "Pictures, step by step");

  const controls = document.createElement("div");
  controls.className = "stepper-controls";
  const back = button("‹", "Previous step");
  const play = button("▶", "Play");
  const next = button("›", "Next step");
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: 0, max: count - 1, value: 0 });
  slider.setAttribute("aria-label", "Step");
  const said = document.createElement("output");
  said.setAttribute("aria-live", "polite");
  controls.append(back, next, slider, said);
  // Whoever asked the system for less motion is offered none.
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) back.after(play);

  let step = 0;
  let timer = null;

  const show = (to) => {
    step = to;
    pictures.forEach((picture, i) => (picture.hidden = i !== step));
    slider.value = step;
    slider.setAttribute("aria-valuetext", label(step, count));
    said.textContent = label(step, count);
    back.setAttribute("aria-disabled", step === 0); // disabled, they would lose the focus
    next.setAttribute("aria-disabled", step === count - 1);
  };

  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
  };

  const start = () => {
    if (step === count - 1) show(0);
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
    timer = setInterval(() => {
      show(step + 1);
      if (step === count - 1) stop();
    }, 1000 * SECONDS_PER_STEP);
  };

  const goTo = (to) => {
    stop();
    show(Math.min(Math.max(to, 0), count - 1));
  };

  back.addEventListener("click", () => goTo(step - 1));
  next.addEventListener("click", () => goTo(step + 1));
  play.addEventListener("click", () => (timer ? stop() : start()));
  slider.addEventListener("input", () => goTo(Number(slider.value)));
  output.addEventListener("keydown", (event) => {
    const to = stepAfterKey(event.key, step, count);
    if (to === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    goTo(to);
  });

  for (const picture of pictures) picture.loading = "eager"; // or the first steps would flicker
  output.append(controls);
  show(0);
};

if (typeof document !== "undefined") {
  document.querySelectorAll(".cell.tag_stepper .cell_output").forEach(mount);
}
