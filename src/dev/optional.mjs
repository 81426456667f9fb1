// Programs that some tests want and set-up can do without: installed ones, else Debian's packages. Where one cannot be had
// its tests are left out, and a line says so.

import { aptInstall, canApt } from "./apt.mjs";
import { Failure } from "./run.mjs";

/** Why a program's tests are left out. */
export const notTested = ({ name, packages }) =>
  `Not tested in ${name}, which is not installed (Debian: sudo apt-get install ${packages.join(" ")}).`;

/** Installs what is missing and may be installed; what then still is missing is told, and fails nothing. */
export async function ensureOptional(...programs) {
  for (const program of programs) {
    const { name, packages, find } = program;
    try {
      if (!find() && canApt()) await aptInstall(`Installing ${name}`, "usually 20 s", packages);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
    if (!find()) console.log(notTested(program));
  }
}
