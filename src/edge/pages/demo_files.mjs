// What the demo's pages are made of, as the bundle brings it along.

export { default as campaign } from "../../../static/demo/campaign.html" with { type: "text" };
export { default as landing } from "../../../static/demo/landing.html" with { type: "text" };
export { default as mail } from "../../../static/demo/mail.html" with { type: "text" };
export { default as record } from "../../../static/demo/record.html" with { type: "text" };
export { default as script } from "../../../static/demo/demo.js" with { type: "text" };
export { default as story } from "../../../static/demo/story.html" with { type: "text" };
export { default as style } from "../../../static/demo/style.css" with { type: "text" };
