// What a page does better where script runs. All works without it; no other host is asked; the words are the page's.
"use strict";
(() => {
  const words = document.currentScript.dataset;
  const language = document.documentElement.lang || undefined;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Moments as people tell them, for a year; the exact one stays at hand.
  const SIZES = [["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const distance = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const tellTimes = (within) => {
    for (const time of all("time.dt-published[datetime*=T]", within)) {
      time.dataset.exact ??= time.textContent;
      const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
      const [unit, size] = SIZES.find(([, size]) => -seconds >= size) ?? ["second", 1];
      const isNear = seconds > -31557600 && seconds < 60;
      const away = unit === "second" ? 0 : Math.ceil(seconds / size);
      time.textContent = isNear ? distance.format(away, unit) : time.dataset.exact;
      if (isNear) time.title ||= time.dataset.exact;
    }
  };

  // The reader's handle or server, kept on this device alone once a form was sent with it.
  const KEY = "marquee-handle";
  const device = (use) => {
    try {
      return use(window.localStorage);
    } catch {
      return null;
    }
  };
  const rememberHandles = () => {
    const forms = all("form.from-home");
    const input = (form) => form.querySelector(".handle");
    const show = (handle) => {
      for (const form of forms) {
        if (handle && !input(form).value) input(form).value = handle;
        const forget = form.querySelector(".forget");
        if (forget) forget.disabled = !handle;
      }
    };
    // What led nowhere is not worth keeping.
    if (document.querySelector(".problem")) {
      const failed = forms.map((form) => input(form).value);
      if (failed.includes(device((kept) => kept.getItem(KEY)))) device((kept) => kept.removeItem(KEY));
    }
    show(device((kept) => kept.getItem(KEY)));
    for (const form of forms) {
      form.addEventListener("submit", () => {
        const handle = input(form).value.trim();
        if (handle) device((kept) => kept.setItem(KEY, handle));
      });
      form.querySelector(".forget")?.addEventListener("click", () => {
        device((kept) => kept.removeItem(KEY));
        for (const other of forms) input(other).value = "";
        input(form).focus();
        show(null);
      });
    }
  };

  // One press takes an address along.
  const offerCopies = () => {
    if (!navigator.clipboard) return;
    for (const row of all(".copyable")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = words.copy;
      button.setAttribute("aria-live", "polite");
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(row.querySelector(".to-copy").textContent.trim());
          button.textContent = words.copied;
          setTimeout(() => (button.textContent = words.copy), 2500);
        } catch {
          getSelection().selectAllChildren(row.querySelector(".to-copy"));
        }
      });
      row.append(button);
    }
  };

  // New comments come into an open page.
  const FIRST = 30000;
  const LONGEST = 600000;
  const stayLive = (talk) => {
    const thread = talk.querySelector("[data-live=thread]");
    const news = talk.querySelector(".news");
    const known = new Map([...thread.children].map((item) => [item.id, item.outerHTML]));
    let { liveHref: address, liveTag: tag } = talk.dataset;
    let wait = FIRST;
    let due = 0;
    let timer;
    let unseen = [];

    const isBusy = (element) => element.contains(document.activeElement);

    // What is being read stays where it is.
    const holding = (change) => {
      const places = () => all("main .body > *, main h2, .comment, .join");
      const held = places().find((element) => element.getBoundingClientRect().bottom > 0);
      const find = () => (held?.isConnected ? held : held?.id && document.getElementById(held.id));
      const top = held?.getBoundingClientRect().top;
      const root = document.documentElement;
      root.style.overflowAnchor = "none";
      change();
      const moved = find() ? find().getBoundingClientRect().top - top : 0;
      if (moved && scrollY > 0) scrollBy({ top: moved, behavior: "instant" });
      requestAnimationFrame(() => (root.style.overflowAnchor = ""));
    };

    // Gives whether all of it could be mended: what holds the reader's place waits until it does so no more.
    const mendThread = (fresh) => {
      let isWhole = true;
      const ids = new Set([...fresh.children].map((item) => item.id));
      for (const item of [...thread.children]) {
        if (ids.has(item.id)) continue;
        if (isBusy(item)) isWhole = false;
        else item.remove();
      }
      let before = null;
      for (const item of [...fresh.children]) {
        const html = item.outerHTML;
        let here = document.getElementById(item.id);
        if (!here) {
          here = item;
          here.classList.add("fresh");
          unseen.push(item.id);
          known.set(item.id, html);
        } else if (known.get(item.id) !== html && isBusy(here)) {
          isWhole = false;
        } else if (known.get(item.id) !== html) {
          const isOpen = here.querySelector("details")?.open;
          here.replaceWith(item);
          if (isOpen) all("details", item).forEach((details) => (details.open = true));
          here = item;
          known.set(item.id, html);
        }
        const next = before ? before.nextElementSibling : thread.firstElementChild;
        if (next !== here) thread.insertBefore(here, next);
        before = here;
      }
      return isWhole;
    };

    const announce = () => {
      unseen = unseen.filter((id) => document.getElementById(id));
      news.textContent = "";
      if (!unseen.length) return;
      const link = document.createElement("a");
      link.href = `#${unseen[0]}`;
      const count = new Intl.NumberFormat(language).format(unseen.length);
      link.textContent = unseen.length === 1 ? news.dataset.one : news.dataset.other.replace("{n}", count);
      link.addEventListener("click", () => {
        unseen = [];
        news.textContent = "";
      });
      news.append(link);
    };

    // Gives whether the page is now as it was told.
    const update = (html) => {
      const fresh = new DOMParser().parseFromString(html, "text/html");
      const part = (name, within) => within.querySelector(`[data-live=${name}]`);
      if (!part("thread", fresh)) return false;
      let isWhole = true;
      const had = unseen.length;
      holding(() => {
        for (const name of ["numbers", "faces"]) {
          if (isBusy(part(name, talk))) isWhole = false;
          else part(name, talk).replaceWith(part(name, fresh));
        }
        isWhole = mendThread(part("thread", fresh)) && isWhole;
        const title = talk.querySelector("[data-joined]");
        if (title && thread.children.length) title.textContent = title.dataset.joined;
        tellTimes(thread);
      });
      if (unseen.length !== had) announce();
      return isWhole;
    };

    const plan = (time) => {
      const later = time * (0.75 + Math.random() / 2);
      due = Date.now() + later;
      clearTimeout(timer);
      timer = setTimeout(look, later);
    };
    const look = async () => {
      if (document.hidden) return;
      try {
        const headers = { Accept: "text/html", "If-None-Match": tag };
        const answer = await fetch(address, { headers, cache: "no-store", credentials: "omit" });
        if (answer.status === 404 || answer.status === 410) return;
        if (answer.ok) {
          // What could not be mended is told again.
          if (update(await answer.text())) tag = answer.headers.get("etag") ?? tag;
        }
        wait = answer.ok ? FIRST : Math.min(wait * (answer.status === 304 ? 1.5 : 3), LONGEST);
      } catch {
        wait = Math.min(wait * 3, LONGEST);
      }
      plan(wait);
    };
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) plan(Math.max(due - Date.now(), 1000));
    });
    plan(wait);
  };

  const talk = document.querySelector("[data-live-href]");
  if (talk) stayLive(talk);
  tellTimes(document);
  setInterval(() => document.hidden || tellTimes(document), 60000);
  rememberHandles();
  offerCopies();
})();
