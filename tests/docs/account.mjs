// A stand-in for a Cloudflare account, for a walk down the operators' page: what of the platform's API the pinned wrangler asks when
// queues, buckets, secrets and Workers are made. It is as strict as the platform where a step could be missing: a Worker whose queue,
// bucket or zone is not there is refused.

import { once } from "node:events";
import http from "node:http";

const ID = "0123456789abcdef0123456789abcdef";
const ZONE = "brand.example";

/** Starts it: `{ env, account }`, what wrangler finds it by and what was made. */
export async function startAccount(t) {
  const account = {
    queues: [],
    buckets: [],
    workers: {},
    domains: {},
    consumers: [],
    rules: {},
    unknown: [],
  };
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    const { pathname, searchParams } = new URL(request.url, "http://stand-in");
    const asked = {
      route: `${request.method} ${pathname.replace("/client/v4", "").replace(`/accounts/${ID}`, "")}`,
      searchParams,
      body,
      type: request.headers["content-type"] ?? "",
    };
    let [status, result, errors] = [200, null, []];
    try {
      result = await answer(account, asked);
    } catch (error) {
      status = error.status ?? 500;
      errors = [{ code: error.code, message: error.message }];
    }
    const paging = { page: 1, per_page: 100, count: 1, total_count: 1, total_pages: 1 };
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(
      JSON.stringify({ success: status === 200, errors, messages: [], result, result_info: paging }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const env = {
    CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${server.address().port}/client/v4`,
    CLOUDFLARE_API_TOKEN: "a-token-of-the-stand-in",
    CLOUDFLARE_ACCOUNT_ID: ID,
  };
  return { env, account };
}

/** What the platform refuses, by its own numbers where wrangler knows them. */
class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

const NO_WORKER = new Refusal(404, 10_090, "workers.api.error.service_not_found");

const json = ({ body }) => JSON.parse(body.toString() || "null");

/** The parts of a form, texts parsed. */
async function form({ body, type }) {
  return new Response(body, { headers: { "Content-Type": type } }).formData();
}

function deploy(worker, version_id) {
  const created_on = new Date(Date.UTC(2026, 10, 28) + worker.deployments.length).toISOString();
  const id = `deployment-${worker.deployments.length + 1}`;
  const versions = [{ version_id, percentage: 100 }];
  worker.deployments.unshift({
    id,
    created_on,
    source: "wrangler",
    strategy: "percentage",
    annotations: {},
    versions,
  });
}

// The routes that are asked, with what they answer; a word in braces is any.
const ROUTES = {
  "GET /user/tokens/verify": () => ({ id: ID, status: "active" }),
  "GET /user": () => ({ id: ID, email: "operator@brand.example" }),
  "GET /accounts": () => [{ id: ID, name: "Brand" }],
  "GET /memberships": () => [{ id: ID, account: { id: ID, name: "Brand" } }],
  "POST /queues": ({ queues }, asked) => {
    const { queue_name } = json(asked);
    queues.push(queue_name);
    return { queue_name, queue_id: queue_name };
  },
  "GET /queues": ({ queues }, { searchParams }) =>
    queues
      .filter((name) => !searchParams.has("name") || name === searchParams.get("name"))
      .map((queue_name) => ({ queue_name, queue_id: queue_name, consumers: [], producers: [] })),
  "POST /r2/buckets": ({ buckets }, asked) => void buckets.push(json(asked).name),
  "GET /workers/services/{name}": ({ workers }, { name }) => {
    if (!(name in workers)) throw NO_WORKER;
    return {
      id: name,
      default_environment: {
        environment: "production",
        script: { tag: name, last_deployed_from: "wrangler" },
      },
    };
  },
  "GET /workers/scripts/{name}/secrets": ({ workers }, { name }) => {
    if (!(name in workers)) throw NO_WORKER;
    return Object.keys(workers[name].secrets).map((secret) => ({ name: secret, type: "secret_text" }));
  },
  "GET /workers/scripts/{name}/deployments": ({ workers }, { name }) => ({
    deployments: workers[name]?.deployments ?? [],
  }),
  // Nothing that it does not have already: no file is uploaded.
  "POST /workers/scripts/{name}/assets-upload-session": () => ({ jwt: "assets", buckets: [] }),
  "GET /workers/scripts/{name}/settings": ({ workers }, { name }) => ({
    bindings: workers[name]?.bindings ?? [],
  }),
  "GET /r2/buckets/{name}": ({ buckets }, { name }) => {
    if (!buckets.includes(name)) throw new Refusal(404, 10_006, `The bucket ${name} is not there.`);
    return { name };
  },
  "GET /r2/buckets/{name}/lifecycle": ({ rules }, { name }) => ({ rules: rules[name] ?? [] }),
  "PUT /r2/buckets/{name}/lifecycle": ({ rules }, { name, ...asked }) => {
    rules[name] = json(asked).rules;
  },
  "PUT /workers/scripts/{name}": async ({ queues, buckets, workers }, { name, ...asked }) => {
    const { bindings } = JSON.parse((await form(asked)).get("metadata"));
    for (const { queue_name, bucket_name } of bindings) {
      if (queue_name && !queues.includes(queue_name))
        throw new Refusal(400, 100_100, `The queue ${queue_name} is not there.`);
      if (bucket_name && !buckets.includes(bucket_name))
        throw new Refusal(400, 10_085, `The bucket ${bucket_name} is not there.`);
    }
    const worker = (workers[name] ??= { secrets: {}, deployments: [] });
    for (const { name, type, text } of bindings) if (type === "secret_text") worker.secrets[name] = text;
    worker.bindings = bindings.filter(({ type }) => type !== "secret_text");
    const id = `00000000-0000-4000-8000-${String(worker.deployments.length + 1).padStart(12, "0")}`;
    deploy(worker, id);
    return { id: name, deployment_id: id, startup_time_ms: 1 };
  },
  "PATCH /workers/scripts/{name}/script-settings": () => ({}),
  "GET /workers/workers/{name}": () => ({ subdomain: { enabled: false, previews_enabled: false } }),
  "POST /workers/scripts/{name}/subdomain": (account, asked) => json(asked),
  "POST /queues/{queue}/consumers": ({ queues, consumers }, { queue, ...asked }) => {
    if (!queues.includes(queue)) throw new Refusal(404, 10_000, `The queue ${queue} is not there.`);
    consumers.push([queue, json(asked).script_name]);
  },
  "POST /workers/scripts/{name}/domains/changeset": (account, asked) => {
    for (const { hostname } of json(asked)) {
      if (!hostname.endsWith(`.${ZONE}`))
        throw new Refusal(400, 10_000, `${hostname} is in no zone of this account.`);
    }
    return { added: json(asked), updated: [], removed: [], conflicting: [] };
  },
  "PUT /workers/scripts/{name}/domains/records": ({ domains }, { name, ...asked }) => {
    for (const { hostname } of json(asked).origins) domains[hostname] = name;
  },
  "PATCH /workers/scripts/{name}/secrets-bulk": ({ workers }, { name, ...asked }) => {
    if (!(name in workers)) throw NO_WORKER;
    const { secrets } = json(asked);
    for (const [secret, { text }] of Object.entries(secrets)) workers[name].secrets[secret] = text;
    return Object.keys(secrets);
  },
  "GET /workers/scripts/{name}/versions/{id}": (account, { id }) => ({
    id,
    number: Number(id.slice(-12)),
    metadata: {
      created_on: new Date(Date.UTC(2026, 10, 28)).toISOString(),
      source: "wrangler",
      author_email: "operator@brand.example",
    },
    annotations: {},
    resources: { bindings: [], script: {}, script_runtime: {} },
  }),
  "POST /workers/scripts/{name}/deployments": ({ workers }, { name, ...asked }) => {
    const [{ version_id }] = json(asked).versions;
    deploy(workers[name], version_id);
    return { id: version_id };
  },
};

async function answer(account, asked) {
  const parts = asked.route.split("/");
  for (const [route, handler] of Object.entries(ROUTES)) {
    const wanted = route.split("/");
    if (wanted.length !== parts.length) continue;
    const named = {};
    const fits = wanted.every((part, at) => {
      if (!part.startsWith("{")) return part === parts[at];
      named[part.slice(1, -1)] = decodeURIComponent(parts[at]);
      return true;
    });
    if (fits) return (await handler(account, { ...asked, ...named })) ?? {};
  }
  console.error(
    asked.route,
    `?${asked.searchParams}`,
    asked.type,
    asked.body.toString("latin1").slice(0, 1500).replaceAll(/\s+/g, " "),
  );
  account.unknown.push(asked.route);
  return {};
}
