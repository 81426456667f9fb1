// Clickproof's beacon: tells the click host once that this page was shown, and once that somebody touched it.
// Then it fires "clickproof:verified" on the document. Whatever fails, the page goes on.
(() => {
  const guarded = (what) => (event) => {
    try {
      what(event);
    } catch (error) {}
  };
  guarded(() => {
    const once = Symbol.for("clickproof");
    if (window[once]) return;
    window[once] = true;
    let url = document.currentScript.src.replace(/\.js([?#].*)?$/, "");
    const isPrivate = navigator.globalPrivacyControl;

    // The redirect puts the reference behind all else: the last value of its form (src/proof/reference.rs) is ours.
    const isReference = (text) => {
      if (!/^[\w-]+$/.test(text)) return false;
      const bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
      const byte = (at) => bytes.charCodeAt(at);
      const id = 2 + byte(1);
      const isId = byte(id + 6) >> 4 === 7 && byte(id + 8) >> 6 === 2;
      return byte(0) === 1 && isId && bytes.length === id + 33 + byte(id + 16);
    };
    const [, page, query, hash] = /^([^?#]*)\??([^#]*)(.*)/.exec(location.href);
    const parameters = query.split("&");
    const value = (text) => text.slice(text.indexOf("=") + 1);
    let at = -1;
    parameters.forEach((text, i) => guarded(() => isReference(value(text)) && (at = i))());
    if (at >= 0) {
      url += "?r=" + value(parameters.splice(at, 1)[0]);
      const rest = parameters.length ? "?" + parameters.join("&") : "";
      guarded(() => history.replaceState(history.state, "", page + rest + hash))();
    }

    const touches = ["pointerdown", "keydown", "touchstart", "wheel"];
    const options = { capture: true, passive: true };
    let shown;
    const touched = guarded((event) => {
      if (!event.isTrusted) return;
      touches.forEach((type) => removeEventListener(type, touched, options));
      const ms = String(Math.round(performance.now() - shown));
      if (!isPrivate) guarded(() => navigator.sendBeacon(url, ms))();
      document.dispatchEvent(new CustomEvent("clickproof:verified", { bubbles: true }));
    });
    const show = guarded(() => {
      if (shown !== undefined || document.prerendering || document.hidden) return;
      shown = performance.now();
      touches.forEach((type) => addEventListener(type, touched, options));
      if (isPrivate) return;
      const image = new Image();
      image.referrerPolicy = "origin";
      image.src = url;
    });
    ["prerenderingchange", "visibilitychange"].forEach((type) => document.addEventListener(type, show));
    show();
  })();
})();
