// Debian and Ubuntu packages, for a machine where this may install them: a container or a CI runner.

import { step, which } from "./run.mjs";

/** Only as root: a set-up never asks for a password. */
export function canApt() {
  return process.getuid?.() === 0 && which("apt-get") !== null;
}

export async function aptInstall(what, usually, packages) {
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    advice: `Install ${packages.join(", ")} by hand, then run this again.`,
  };
  // Another apt-get may be at work: wait for its lock instead of failing.
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  await step("Reading the package lists (apt-get update)", "seconds", "apt-get", ["update"], options);
  await step(what, usually, "apt-get", ["install", "-y", ...wait, ...packages], options);
}
