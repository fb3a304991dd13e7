// A ticket from the first page to the door, by a client that knows nothing but the types made from the API's document.
//
//   node journey.js http://127.0.0.1:8080
//
// It prints one line per step, and ends with an error at the first answer that is not what the types promise.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Api = Client<paths>;
type Schemas = components["schemas"];

const url = process.argv[2];
assert(url, "Say where the API is.");
const PASSWORD = "Correct-Horse-7";

interface Mail {
  subject: string;
  text: string;
}

/** The data of an answer that has to be a success. */
async function expect<T, E>(step: string, call: Promise<{ data?: T; error?: E; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok || data === undefined) throw new Error(`${step}: ${response.status} ${JSON.stringify(error)}`);
  console.log(`${step}: ${response.status}`);
  return data;
}

/** The error of an answer that has to be one. */
async function refused<T, E>(step: string, call: Promise<{ data?: T; error?: E; response: Response }>): Promise<E> {
  const { error, response } = await call;
  if (error === undefined) throw new Error(`${step}: ${response.status} is no error`);
  console.log(`${step}: ${response.status}`);
  return error;
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 90_000;
  while (Date.now() < deadline) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what}: still not there`);
}

/** The token in the newest link mailed to an address: the laptop keeps the mails. */
function mailedToken(email: string): Promise<string> {
  return until(`mail to ${email}`, async () => {
    const mails = (await (await fetch(`${url}/_local/emails?to=${encodeURIComponent(email)}`)).json()) as Mail[];
    return mails.map((mail) => /token=([\w.~-]+)/.exec(mail.text)?.[1]).find((token) => token !== undefined);
  });
}

async function newcomer(role: "ATTENDEE" | "ORGANIZER"): Promise<{ api: Api; user: Schemas["Profile"] }> {
  const visitor = createClient<paths>({ baseUrl: url as string });
  const email = `${role.toLowerCase()}-${randomUUID()}@example.com`;
  const body = { email, password: PASSWORD, firstName: "Ada", lastName: "Lovelace", dateOfBirth: "1990-12-31" };
  await expect("register", visitor.POST("/api/auth/register", { body: { ...body, accountType: role } }));
  const token = await mailedToken(email);
  const account = await expect("verify", visitor.POST("/api/auth/verify-email", { body: { token } }));
  assert.equal(account.emailVerified, true);
  const session = await expect("login", visitor.POST("/api/auth/login", { body: { email, password: PASSWORD } }));
  const headers = { Authorization: `${session.tokenType} ${session.accessToken}`, "API-Version": "1" };
  return { api: createClient<paths>({ baseUrl: url as string, headers }), user: session.user };
}

/** A published event with one ticket type. */
async function plan(organizer: Api, name: string): Promise<Schemas["Event"]> {
  const eventDate = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const place = { timeZone: "Europe/Vienna", venueName: "The old station", venueAddress: "Bahnhofplatz 1" };
  const description = "New music";
  const draft = await expect(
    "create event",
    organizer.POST("/api/events", { body: { name, description, eventDate, ...place, category: "music" } }),
  );
  const params = { path: { id: draft.id } };
  const changed = await expect(
    "update event",
    organizer.PUT("/api/events/{id}", {
      params: { ...params, header: { "If-Match": String(draft.version) } },
      body: { name, description: "New music, all night", eventDate, ...place, category: "music" },
    }),
  );
  assert.equal(changed.description, "New music, all night");
  const lost = await refused(
    "update an old version",
    organizer.PUT("/api/events/{id}", {
      params: { ...params, header: { "If-Match": String(draft.version) } },
      body: { name, eventDate, ...place },
    }),
  );
  assert.equal(lost.error.code, "LOST_UPDATE");
  const type = await expect(
    "create ticket type",
    organizer.POST("/api/tickets/types", {
      body: { eventId: draft.id, name: "Standing", price: "29.00", currency: "EUR", quantityAvailable: 50, perPersonLimit: 4 },
    }),
  );
  assert.equal(type.price, "29.00");
  const form = await expect(
    "form for a picture",
    organizer.POST("/api/events/{id}/image", { params, body: { contentType: "image/png", size: 4096 } }),
  );
  assert(form.uploadUrl && form.imageUrl && Object.keys(form.fields).length > 0);
  return expect("publish", organizer.POST("/api/events/{id}/publish", { params }));
}

/** Find the event, hold two seats, buy them; the order once it is paid. */
async function buy(attendee: Api, event: Schemas["Event"]): Promise<Schemas["OrderView"]> {
  const found = await until("search", async () => {
    const page = await expect("search", attendee.GET("/api/events/search", { params: { query: { q: event.name } } }));
    return page.items.find((item) => item.id === event.id);
  });
  const offer = await until("availability", async () => {
    const { data } = await attendee.GET("/api/tickets/availability/{eventId}", { params: { path: { eventId: found.id } } });
    return data?.ticketTypes.find((kind) => kind.status === "ON_SALE");
  });
  const held = await expect(
    "reserve",
    attendee.POST("/api/tickets/reserve", {
      body: { eventId: event.id, items: [{ ticketTypeId: offer.id, quantity: 2 }] },
    }),
  );
  assert.equal(held.totalAmount, "58.00");
  const tooMany = await refused(
    "reserve more than one may",
    attendee.POST("/api/tickets/reserve", {
      body: { eventId: event.id, items: [{ ticketTypeId: offer.id, quantity: 3 }] },
    }),
  );
  assert.equal(tooMany.error.code, "PER_PERSON_LIMIT");
  // @ts-expect-error: the types know every code that reserving can answer with, and this is none of them
  assert.notEqual(tooMany.error.code === "EMAIL_TAKEN", true);
  // @ts-expect-error: the types demand the Idempotency-Key
  void (() => attendee.POST("/api/tickets/purchase", { body: { reservationId: "", paymentMethod: { type: "free" } } }));
  const accepted = await expect(
    "purchase",
    attendee.POST("/api/tickets/purchase", {
      params: { header: { "Idempotency-Key": randomUUID() } },
      body: { reservationId: held.reservationId, paymentMethod: { type: "stripe", token: "pm_card_visa" } },
    }),
  );
  return until("paid", async () => {
    const { data } = await attendee.GET("/api/payments/orders/{orderId}", { params: { path: { orderId: accepted.orderId } } });
    return data?.paymentStatus === "PAID" ? data : undefined;
  });
}

/** The ticket, its picture, and the door. */
async function enter(attendee: Api, organizer: Api, order: Schemas["OrderView"]): Promise<void> {
  const first = order.tickets?.[0];
  assert(first, "A paid order has tickets.");
  const params = { path: { ticketId: first.id } };
  const ticket = await expect("ticket", attendee.GET("/api/tickets/{ticketId}", { params }));
  const picture = await expect("picture", attendee.GET("/api/tickets/{ticketId}/qr.png", { params, parseAs: "arrayBuffer" }));
  assert.equal(Buffer.from(picture).subarray(1, 4).toString(), "PNG");
  const admitted = await expect("check in", organizer.POST("/api/tickets/check-in", { body: { qrCode: ticket.qrCode } }));
  assert.equal(admitted.ticketId, ticket.id);
  const again = await refused("check in again", organizer.POST("/api/tickets/check-in", { body: { qrCode: ticket.qrCode } }));
  assert.equal(again.error.code, "ALREADY_USED");
}

/** What the organizer sees of the sales, once the news of them have arrived. */
async function sold(organizer: Api, event: Schemas["Event"]): Promise<void> {
  const sales = await until("sales", async () => {
    const { data } = await organizer.GET("/api/events/{id}/sales", { params: { path: { id: event.id } } });
    return data && data.totals.sold === 2 ? data : undefined;
  });
  assert.equal(sales.totals.revenue, "58.00");
}

async function refund(organizer: Api, order: Schemas["OrderView"]): Promise<void> {
  const accepted = await expect(
    "refund",
    organizer.POST("/api/payments/refund", {
      params: { header: { "Idempotency-Key": randomUUID() } },
      body: { orderId: order.orderId, amount: "29.00", reason: "A seat with a bad view" },
    }),
  );
  assert.equal(accepted.amount, "29.00");
  await until("refunded", async () => {
    const { data } = await organizer.GET("/api/payments/orders/{orderId}", { params: { path: { orderId: order.orderId } } });
    return data?.paymentStatus === "PARTIALLY_REFUNDED" ? data : undefined;
  });
  const orders = await expect(
    "orders of the event",
    organizer.GET("/api/payments/orders", { params: { query: { eventId: order.eventId, limit: 5 } } }),
  );
  assert.deepEqual(orders.items.map((item) => item.orderId), [order.orderId]);
}

const organizer = await newcomer("ORGANIZER");
const attendee = await newcomer("ATTENDEE");
const event = await plan(organizer.api, `Harbour Lights ${randomUUID().slice(0, 8)}`);
const order = await buy(attendee.api, event);
const mine = await expect(
  "my orders",
  attendee.api.GET("/api/tickets/orders/{userId}", { params: { path: { userId: attendee.user.userId } } }),
);
assert.equal(mine.items[0]?.orderId, order.orderId);
await sold(organizer.api, event);
await enter(attendee.api, organizer.api, order);
await refund(organizer.api, order);
console.log("done");
