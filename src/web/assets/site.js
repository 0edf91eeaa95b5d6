// Progressive enhancement: everything works without this script. It contacts no other host, and its texts come from the page.
"use strict";
(() => {
  const texts = document.currentScript.dataset;
  const language = document.documentElement.lang || undefined;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Shows times of the last year as relative times, with the exact time as a tooltip.
  const UNITS = [["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const relativeTime = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const showRelativeTimes = (root) => {
    for (const time of all("time.dt-published[datetime*=T]", root)) {
      time.dataset.exact ??= time.textContent;
      const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
      const [unit, size] = UNITS.find(([, size]) => -seconds >= size) ?? ["second", 1];
      const isRecent = seconds > -31557600 && seconds < 60;
      const count = unit === "second" ? 0 : Math.ceil(seconds / size);
      time.textContent = isRecent ? relativeTime.format(count, unit) : time.dataset.exact;
      if (isRecent) time.title ||= time.dataset.exact;
    }
  };

  // Remembers the reader's handle or server on this device after a form was sent with it.
  const KEY = "marquee-handle";
  const withStorage = (use) => {
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
    // A handle that led to an error is not kept.
    if (document.querySelector(".problem")) {
      const failed = forms.map((form) => input(form).value);
      if (failed.includes(withStorage((storage) => storage.getItem(KEY)))) withStorage((storage) => storage.removeItem(KEY));
    }
    show(withStorage((storage) => storage.getItem(KEY)));
    for (const form of forms) {
      form.addEventListener("submit", () => {
        const handle = input(form).value.trim();
        if (handle) withStorage((storage) => storage.setItem(KEY, handle));
      });
      form.querySelector(".forget")?.addEventListener("click", () => {
        withStorage((storage) => storage.removeItem(KEY));
        for (const other of forms) input(other).value = "";
        input(form).focus();
        show(null);
      });
    }
  };

  // Adds copy buttons to addresses and handles.
  const addCopyButtons = () => {
    if (!navigator.clipboard) return;
    for (const row of all(".copyable")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = texts.copy;
      button.setAttribute("aria-live", "polite");
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(row.querySelector(".to-copy").textContent.trim());
          button.textContent = texts.copied;
          setTimeout(() => (button.textContent = texts.copy), 2500);
        } catch {
          getSelection().selectAllChildren(row.querySelector(".to-copy"));
        }
      });
      row.append(button);
    }
  };

  // Keeps the comments of an open page up to date.
  const MIN_INTERVAL = 30000;
  const MAX_INTERVAL = 600000;
  const keepUpdated = (section) => {
    const thread = section.querySelector("[data-live=thread]");
    const news = section.querySelector(".news");
    const shown = new Map([...thread.children].map((item) => [item.id, item.outerHTML]));
    let { liveHref: address, liveTag: tag } = section.dataset;
    let wait = MIN_INTERVAL;
    let due = 0;
    let timer;
    let unseen = [];

    const isBusy = (element) => element.contains(document.activeElement);

    // Keeps what the reader is looking at in place during a change.
    const keepInPlace = (change) => {
      const candidates = () => all("main .body > *, main h2, .comment, .join");
      const anchor = candidates().find((element) => element.getBoundingClientRect().bottom > 0);
      const find = () => (anchor?.isConnected ? anchor : anchor?.id && document.getElementById(anchor.id));
      const top = anchor?.getBoundingClientRect().top;
      const root = document.documentElement;
      root.style.overflowAnchor = "none";
      change();
      const moved = find() ? find().getBoundingClientRect().top - top : 0;
      if (moved && scrollY > 0) scrollBy({ top: moved, behavior: "instant" });
      requestAnimationFrame(() => (root.style.overflowAnchor = ""));
    };

    // Returns whether everything was updated. Elements that have the focus are skipped and updated by a later poll.
    const updateThread = (incoming) => {
      let isComplete = true;
      const ids = new Set([...incoming.children].map((item) => item.id));
      for (const item of [...thread.children]) {
        if (ids.has(item.id)) continue;
        if (isBusy(item)) isComplete = false;
        else item.remove();
      }
      let before = null;
      for (const item of [...incoming.children]) {
        const html = item.outerHTML;
        let current = document.getElementById(item.id);
        if (!current) {
          current = item;
          current.classList.add("fresh");
          unseen.push(item.id);
          shown.set(item.id, html);
        } else if (shown.get(item.id) !== html && isBusy(current)) {
          isComplete = false;
        } else if (shown.get(item.id) !== html) {
          const isOpen = current.querySelector("details")?.open;
          current.replaceWith(item);
          if (isOpen) item.querySelector("details")?.setAttribute("open", "");
          current = item;
          shown.set(item.id, html);
        }
        const next = before ? before.nextElementSibling : thread.firstElementChild;
        if (next !== current) thread.insertBefore(current, next);
        before = current;
      }
      return isComplete;
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

    // Returns whether the page now shows everything in the response.
    const update = (html) => {
      const incoming = new DOMParser().parseFromString(html, "text/html");
      const part = (name, root) => root.querySelector(`[data-live=${name}]`);
      if (!part("thread", incoming)) return false;
      let isComplete = true;
      const previous = unseen.length;
      keepInPlace(() => {
        for (const name of ["numbers", "faces", "pager"]) {
          if (!part(name, section) || !part(name, incoming)) continue;
          if (isBusy(part(name, section))) isComplete = false;
          else part(name, section).replaceWith(part(name, incoming));
        }
        isComplete = updateThread(part("thread", incoming)) && isComplete;
        const title = section.querySelector("[data-joined]");
        if (title && thread.children.length) title.textContent = title.dataset.joined;
        showRelativeTimes(thread);
      });
      if (unseen.length !== previous) announce();
      return isComplete;
    };

    const schedule = (time) => {
      const delay = time * (0.75 + Math.random() / 2);
      due = Date.now() + delay;
      clearTimeout(timer);
      timer = setTimeout(poll, delay);
    };
    const poll = async () => {
      if (document.hidden) return;
      try {
        const headers = { Accept: "text/html", "If-None-Match": tag };
        const answer = await fetch(address, { headers, cache: "no-store", credentials: "omit" });
        if (answer.status === 404 || answer.status === 410) return;
        if (answer.ok) {
          // Keep the old tag after an incomplete update, so that the next poll gets the content again.
          if (update(await answer.text())) tag = answer.headers.get("etag") ?? tag;
        }
        wait = answer.ok ? MIN_INTERVAL : Math.min(wait * (answer.status === 304 ? 1.5 : 3), MAX_INTERVAL);
      } catch {
        wait = Math.min(wait * 3, MAX_INTERVAL);
      }
      schedule(wait);
    };
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) schedule(Math.max(due - Date.now(), 1000));
    });
    schedule(wait);
  };

  // A comment that is not on this page of the conversation has a page of its own.
  const findComment = async (section) => {
    const [, id] = location.hash.match(/^#comment-(\w+)$/) ?? [];
    if (!id || document.getElementById(`comment-${id}`)) return;
    const page = `${section.dataset.liveHref.split("?")[0]}/${id}`;
    const answer = await fetch(page, { method: "HEAD", credentials: "omit" });
    if (answer.ok) location.replace(page);
  };

  const section = document.querySelector("[data-live-href]");
  if (section) {
    keepUpdated(section);
    findComment(section).catch(() => {});
  }
  showRelativeTimes(document);
  setInterval(() => document.hidden || showRelativeTimes(document), 60000);
  rememberHandles();
  addCopyButtons();
})();
