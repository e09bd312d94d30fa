"use strict";
// Shows and hides what is there; makes nothing of any text.
(() => {
  const form = document.getElementById("filter");
  const shown = document.getElementById("shown");
  const hosts = [...document.querySelectorAll("section.host")].map((section) => ({
    section,
    row: document.querySelector(`tr[data-section="${section.id}"]`),
    name: section.dataset.host.toLowerCase(),
    folded: section.querySelector(":scope > details"),
    articles: [...section.querySelectorAll("article")],
  }));
  const words = new Map();
  const says = (article, text) => {
    if (!words.has(article)) words.set(article, article.textContent.toLowerCase());
    return words.get(article).includes(text);
  };
  const number = (article) => Number(article.querySelector(".count")?.dataset.count ?? 1);
  const MOST_OPENED = 30;

  const apply = () => {
    const asked = new FormData(form);
    const severities = new Set(asked.getAll("severity"));
    const rule = asked.get("rule");
    const host = (asked.get("host") ?? "").trim().toLowerCase();
    const text = asked.get("text").trim().toLowerCase();
    const every = form.querySelectorAll("[name=severity]").length;
    const narrowed = severities.size < every || rule || text;
    let total = 0, left = 0, seen = 0;
    for (const each of hosts) {
      let here = 0;
      for (const article of each.articles) {
        const found = number(article);
        total += found;
        const keep = severities.has(article.dataset.severity) && (!rule || article.dataset.rule === rule)
          && each.name.includes(host) && (!text || says(article, text));
        article.hidden = !keep;
        if (keep) here += found;
      }
      const keep = each.name.includes(host) && (here > 0 || !narrowed);
      each.section.hidden = !keep;
      if (each.row) each.row.hidden = !keep;
      left += here;
      seen += keep ? 1 : 0;
    }
    if (narrowed || host) {
      const open = hosts.filter((each) => each.folded && !each.section.hidden);
      if (open.length <= MOST_OPENED) for (const each of open) each.folded.open = true;
    }
    const of = hosts.length > 1 ? `, ${seen} of ${hosts.length} hosts` : "";
    shown.textContent = narrowed || host ? `${left} of ${total} findings${of}` : "";
  };

  const reveal = (target) => {
    for (let around = target; around; around = around.parentElement) if (around.tagName === "DETAILS") around.open = true;
    const own = target.querySelector(":scope > details");
    if (own) own.open = true;
  };
  const goto = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target) { reveal(target); target.scrollIntoView(); }
  };

  let at = -1;
  const step = (by) => {
    const visible = hosts.filter((each) => !each.section.hidden).flatMap((each) => each.articles.filter((one) => !one.hidden));
    if (!visible.length) return;
    const focused = visible.indexOf(document.activeElement?.closest("article"));
    at = Math.min(Math.max((focused < 0 ? Math.min(at, visible.length) : focused) + by, 0), visible.length - 1);
    reveal(visible[at]);
    visible[at].focus();
  };

  form.hidden = false;
  document.querySelector(".keys").hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  form.elements.namedItem("open")?.addEventListener("click", (event) => {
    const open = event.target.textContent === "open all";
    for (const each of hosts) if (!each.section.hidden) each.folded.open = open;
    event.target.textContent = open ? "close all" : "open all";
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") { form.reset(); return; }
    if (event.target.closest("input, select, textarea")) return;
    if (event.key === "/") { event.preventDefault(); form.elements.namedItem("text").focus(); }
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
  addEventListener("hashchange", goto);
  addEventListener("beforeprint", () => { for (const each of hosts) if (each.folded && !each.section.hidden) each.folded.open = true; });
  apply();
  goto();
})();
