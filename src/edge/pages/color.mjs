// A brand's colour, and whether words on it are black or white.

/** The colour where the brand has none. */
const OURS = [0x1f, 0x4f, 0xa3];

/** CSS of words on a colour (red, green, blue): the colour is the background. */
export function onColor(color) {
  const back = color ?? OURS;
  const hex = back.map((channel) => channel.toString(16).padStart(2, "0")).join("");
  return `color:${wantsBlack(back) ? "#000" : "#fff"};background:#${hex}`;
}

/**
 * Whether the words on a colour are black: white has less than the 4.5 : 1 that WCAG 2.2 asks for. Black has more then, because the
 * two ratios multiply to 21.
 */
const wantsBlack = (color) => 1.05 / (luminance(color) + 0.05) < 4.5;

/** WCAG 2.2's relative luminance, 0 to 1. */
export function luminance(color) {
  const [red, green, blue] = color.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
