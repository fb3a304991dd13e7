// A real browser at the box office: what its pages may ask and read, and what it runs. Prints one JSON object.
//
//   node browser.mjs http://127.0.0.1:8080 /path/of/screenshot.png
//
// Pages of two origins are served from here; the browser is told where these two hosts are.

process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs20.x"; // chromium then brings its libraries along

import http from "node:http";
import { randomUUID } from "node:crypto";

const { default: chromium } = await import("@sparticuz/chromium");
const { default: puppeteer } = await import("puppeteer-core");

const [api, screenshot] = process.argv.slice(2);
const OURS = "http://localhost:5173";
const FOREIGN = "http://evil.example";
const PASSWORD = "Correct-Horse-7";

// Of this build's usual options, those that would let any page read anything.
const LAX = ["--disable-web-security", "--disable-site-isolation-trials", "--allow-running-insecure-content"];

const pages = http.createServer((_, answer) => {
  answer.writeHead(200, { "Content-Type": "text/html" }).end("<!DOCTYPE html><title>A front end</title>");
});
await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
const here = `127.0.0.1:${pages.address().port}`;

const browser = await puppeteer.launch({
  args: [
    ...chromium.args.filter((one) => !LAX.includes(one)),
    "--no-sandbox",
    `--host-resolver-rules=MAP localhost:5173 ${here}, MAP evil.example:80 ${here}`,
  ],
  executablePath: await chromium.executablePath(),
  headless: "shell",
});

// Runs in the page: asks, and tells what a script there can see of the answer.
const ask = async ({ api, method, path, headers, body }) => {
  try {
    const options = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const answer = await fetch(api + path, options);
    const text = await answer.text();
    const type = answer.headers.get("Content-Type") ?? "";
    const json = type.startsWith("application/json") && text ? JSON.parse(text) : null;
    return { status: answer.status, headers: Object.fromEntries(answer.headers), json };
  } catch (error) {
    return { blocked: error.name };
  }
};

const JSON_BODY = { "Content-Type": "application/json" };

async function at(origin) {
  const page = await browser.newPage();
  await page.goto(`${origin}/`);
  return (method, path, headers = {}, body = undefined) => page.evaluate(ask, { api, method, path, headers, body });
}

async function signedIn(from, email) {
  const session = await from("POST", "/api/auth/login", JSON_BODY, { email, password: PASSWORD });
  return { Authorization: `Bearer ${session.json.accessToken}`, "API-Version": "1" };
}

// A published event of that name, and its ticket type.
async function published(name) {
  const from = await at(OURS);
  const headers = { ...(await signedIn(from, "organizer@example.com")), ...JSON_BODY };
  const eventDate = new Date(Date.now() + 90 * 86_400_000).toISOString();
  const place = { timeZone: "Europe/Vienna", venueName: name, venueAddress: name };
  const event = (await from("POST", "/api/events", headers, { name, eventDate, ...place })).json.id;
  const kind = { eventId: event, name: "Standing", price: "5.00", currency: "EUR", quantityAvailable: 5 };
  const type = (await from("POST", "/api/tickets/types", headers, kind)).json.id;
  await from("POST", `/api/events/${event}/publish`, headers);
  return { event, type };
}

async function fromOurPage() {
  const { event, type } = await published("Harbour Lights");
  const from = await at(OURS);
  const token = await signedIn(from, "attendee@example.com");
  const profile = await from("GET", "/api/auth/profile", token);
  const items = [{ ticketTypeId: type, quantity: 1 }];
  const once = { ...token, ...JSON_BODY, "Idempotency-Key": randomUUID() };
  const held = await from("POST", "/api/tickets/reserve", once, { eventId: event, items });
  const heldAgain = await from("POST", "/api/tickets/reserve", once, { eventId: event, items });
  const released = await from("DELETE", `/api/tickets/reservations/${held.json.reservationId}`, token);
  const forbidden = await from("PUT", `/api/events/${event}`, { ...token, ...JSON_BODY, "If-Match": "1" }, {});
  const noToken = await from("GET", "/api/auth/profile", { Authorization: "Bearer nonsense" });
  const noRoute = await from("GET", "/api/nowhere");
  const body = { email: `${randomUUID()}@example.com`, password: "Wrong-Horse-1" };
  let throttled;
  for (let attempt = 0; attempt < 30 && throttled?.status !== 429; attempt++)
    throttled = await from("POST", "/api/auth/login", JSON_BODY, body);
  return { profile, held, heldAgain, released, forbidden, noToken, noRoute, throttled };
}

async function fromForeignPage() {
  const from = await at(FOREIGN);
  return {
    simple: await from("GET", "/api/events"),
    preflighted: await from("GET", "/api/auth/profile", { Authorization: "Bearer nonsense" }),
    written: await from("POST", "/api/auth/login", JSON_BODY, { email: "attendee@example.com", password: PASSWORD }),
  };
}

async function hostileText() {
  const name = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>";
  const { event } = await published(name);
  const page = await browser.newPage();
  const answer = await page.goto(`${api}/api/events/${event}`);
  const seen = await page.evaluate(() => ({
    title: document.title,
    images: document.images.length,
    scripts: document.scripts.length,
    text: document.body.innerText,
  }));
  return { name, headers: answer.headers(), ...seen };
}

async function docs() {
  const page = await browser.newPage();
  await page.setViewport({ width: 1200, height: 1400 });
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  const answer = await page.goto(`${api}/api/docs`, { waitUntil: "networkidle0" });
  const operations = await page.$$eval("details", (all) => all.map((one) => one.id));
  const tryOne = async (id, fill) => {
    await page.click(`#${id} summary`);
    await page.waitForSelector(`#${id} form`);
    if (fill) await page.$eval(`#${id} textarea`, (area, text) => (area.value = text), JSON.stringify(fill));
    await page.click(`#${id} form button`);
    await page.waitForSelector(`#${id} .answer pre`, { timeout: 60_000 });
    return page.$eval(`#${id} .answer`, (shown) => shown.innerText);
  };
  const login = await tryOne("login", { email: "attendee@example.com", password: PASSWORD });
  const profile = await tryOne("get_profile");
  if (screenshot) await page.screenshot({ path: screenshot });
  const token = await page.$eval("#token", (field) => field.value);
  return { status: answer.status(), headers: answer.headers(), complaints, operations, login, profile, token };
}

try {
  const seen = { ours: await fromOurPage(), foreign: await fromForeignPage(), hostile: await hostileText(), docs: await docs() };
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
  pages.close();
}
