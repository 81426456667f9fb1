// The landing page says that its visitor is proven; the story, while somebody looks at it, keeps up.
document.addEventListener("clickproof:verified", () => {
  const proof = document.querySelector("[data-proof]");
  if (!proof) return;
  proof.textContent = proof.dataset.proof;
  proof.classList.add("proven");
});

const live = document.querySelector("[data-live]");

async function renew() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-live]");
    // Only what has changed is written, so that a reader's selection lives.
    if (now && now.innerHTML !== live.innerHTML) live.replaceChildren(...now.childNodes);
  } catch {
    // The server is gone, perhaps for a moment: the next round asks again.
  }
}

if (live) setInterval(renew, 2000);
