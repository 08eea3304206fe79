// What the pages do: light and dark, the contents on a phone, copying code, the search key, and
// where the reader is on the page. Every page reads well without it.
"use strict";

const root = document.documentElement;
const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

// -- light and dark: as the system, light, dark, and again
const MODES = { auto: "as the system", light: "light", dark: "dark" };
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

const setMode = (mode) => {
  root.dataset.mode = mode;
  root.dataset.theme = mode === "auto" ? (systemIsDark.matches ? "dark" : "light") : mode;
  find(".mode").setAttribute("aria-label", `Colours: ${MODES[mode]}`);
  find(".mode").title = `Colours: ${MODES[mode]}`;
};

find(".mode").addEventListener("click", () => {
  const modes = Object.keys(MODES);
  const mode = modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length];
  setMode(mode);
  try {
    if (mode === "auto") localStorage.removeItem("mode");
    else localStorage.setItem("mode", mode);
  } catch {
    // Storage may be closed to a page on a disk: the choice then holds for this page.
  }
});
systemIsDark.addEventListener("change", () => setMode(root.dataset.mode));
setMode(root.dataset.mode);

// -- the table of contents on a narrow screen
const menu = find(".menu");
const contents = find("#contents");

const openContents = (open) => {
  contents.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", String(open));
  document.body.style.overflow = open ? "hidden" : "";
};

menu.addEventListener("click", () => openContents(!contents.classList.contains("open")));

// -- keys: "/" and Ctrl+K search, Escape closes the contents
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  const wantsSearch = event.key === "/" && !event.ctrlKey && !event.metaKey && !typing;
  if (wantsSearch || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
    event.preventDefault();
    find(".find input").focus();
  }
  if (event.key === "Escape" && contents.classList.contains("open")) {
    openContents(false);
    menu.focus();
  }
});

// -- code can be copied
for (const block of findAll("article div[class*='highlight-']:not(.output) > .highlight")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(find("pre", block).textContent.trimEnd());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  block.append(button);
}

// -- what scrolls sideways can be reached and scrolled by keyboard
for (const box of findAll("article :is(pre, .scroll, .text_html, div.math)")) {
  // Less than a pixel too wide, it is told by its bar alone, which takes from the height.
  const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
  if (scrolls) box.tabIndex = 0;
}

// -- a figure opens large on a tap, or with Enter; Escape or another tap closes it
const enlarged = document.createElement("dialog");
enlarged.className = "enlarged";
enlarged.addEventListener("click", () => enlarged.close());

const enlarge = (picture) => {
  const copy = new Image();
  Object.assign(copy, { src: picture.src, alt: picture.alt });
  // On a phone as large as it was drawn, and moved with a finger; elsewhere as the window allows.
  const drawn = Number(picture.getAttribute("width")) || picture.naturalWidth;
  copy.style.width = `${Math.max(drawn, Math.min(1.6 * drawn, 0.95 * innerWidth))}px`;
  const close = document.createElement("button");
  Object.assign(close, { type: "button", textContent: "Close" });
  const box = document.createElement("div");
  Object.assign(box, { tabIndex: 0 });
  box.append(copy);
  enlarged.setAttribute("aria-label", "Figure, enlarged");
  enlarged.replaceChildren(close, box);
  if (!enlarged.isConnected) document.body.append(enlarged);
  enlarged.showModal();
};

for (const picture of findAll("article :is(.cell_output, figure) > img")) {
  if (picture.closest(".tag_stepper")) continue;
  Object.assign(picture, { tabIndex: 0, title: "Enlarge" });
  picture.setAttribute("role", "button");
  picture.addEventListener("click", () => enlarge(picture));
  picture.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    enlarge(picture);
  });
}

// -- a link into a folded block opens it
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  target?.closest("details")?.setAttribute("open", "");
};
addEventListener("hashchange", unfold);
unfold();

// -- where the reader is
const links = new Map(findAll(".on-page a[href^='#']").map((a) => [a.hash.slice(1), a]));
const headed = findAll("article section[id]").filter((section) => links.has(section.id));

const showPlace = () => {
  const passed = headed.filter((section) => section.getBoundingClientRect().top < 120);
  const link = links.get(passed.at(-1)?.id);
  if (link?.classList.contains("here")) return;
  find(".on-page .here")?.classList.remove("here");
  link?.classList.add("here");
  link?.scrollIntoView({ block: "nearest" });
};

if (headed.length) {
  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      showPlace();
    });
  };
  addEventListener("scroll", later, { passive: true });
  showPlace();
}
