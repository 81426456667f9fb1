// The landing page says that its visitor is proven; the story and the campaign, while somebody looks at them, keep up;
// the mail plays scanners.
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

// What the local runtime takes for the visitors' addresses and network, a link's after the other's.
const SCANNERS = {
  sandbox: { ips: ["40.92.1.1"], network: { asn: 8075, country: "US" } },
  gateway: { ips: ["209.222.82.5"], network: { asn: 15324, country: "US" } },
  pool: { ips: ["203.0.113.7", "198.51.100.23", "192.0.2.90"], network: { asn: 64496, country: "US" } },
};

async function play({ ips, network }, told) {
  const links = [...document.querySelectorAll("main a[href*='/c/']")];
  const follow = ({ href }, at) => {
    const headers = {
      "CF-Connecting-IP": ips[at % ips.length],
      "MF-CF-Blob": JSON.stringify(network),
    };
    // A machine keeps no cookie, and is content with the redirect.
    return fetch(href, { headers, credentials: "omit", redirect: "manual" });
  };
  await Promise.all(links.map(follow));
  told.textContent = `It has followed ${links.length} links: see the story.`;
}

for (const button of document.querySelectorAll("[data-scanner]")) {
  const told = document.querySelector("[data-played]");
  button.addEventListener("click", () =>
    play(SCANNERS[button.dataset.scanner], told).catch((error) => (told.textContent = error.message)),
  );
}
