"use strict";
// The page is drawn by the server; this script sends taps and texts to
// /_sandbox/inbound and asks now and then for new bubbles and ticks.

const phoneOf = (el) => el.closest(".phone");

async function act(el, what) {
  const phone = phoneOf(el);
  const sheet = el.closest("dialog");
  const bubble = el.closest(".bubble") || (sheet && document.getElementById(sheet.dataset.home));
  const body = { provider: phone.dataset.provider, number: phone.dataset.number, from: phone.dataset.user, ...what };
  if (bubble) body.context = bubble.dataset.wamid;
  const answer = await fetch("/_sandbox/inbound", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const said = await answer.json();
  document.getElementById("announce").textContent = answer.ok ? "Sent" : said.error;
  await refresh();
}

function count(el) {
  const product = el.closest(".product");
  const output = product.querySelector("output");
  const step = el.hasAttribute("data-more") ? 1 : -1;
  output.textContent = String(Math.min(99, Math.max(0, Number(output.textContent) + step)));
  const box = el.closest("[data-catalog]");
  const some = [...box.querySelectorAll("output")].some((o) => o.textContent !== "0");
  box.querySelector("[data-cart]").disabled = !some;
}

function order(el) {
  const box = el.closest("[data-catalog]");
  const items = [...box.querySelectorAll(".product")]
    .map((p) => ({
      product_retailer_id: p.dataset.product, quantity: Number(p.querySelector("output").textContent),
      item_price: Number(p.dataset.price), currency: "EUR",
    }))
    .filter((i) => i.quantity > 0);
  for (const output of box.querySelectorAll("output")) output.textContent = "0";
  el.disabled = true;
  if (box.open) box.close();
  return act(el, { type: "order", catalog: box.dataset.catalog, items });
}

function tap(el) {
  const sheet = el.closest("dialog");
  if (sheet) sheet.close();
  const type = el.dataset.tap;
  if (type === "location") return act(el, { type, latitude: 52.52, longitude: 13.405, title: "Here" });
  if (type === "flow") return act(el, { type, data: "{}" });
  return act(el, { type, id: el.dataset.id, title: el.dataset.title, description: el.dataset.description || "" });
}

// review lets a template of the account become something else, as Meta does.
async function review(el) {
  const row = el.closest("tr");
  const body = { name: row.dataset.name, language: row.dataset.language, [el.dataset.set]: el.dataset.to };
  if (el.dataset.set === "status") body.rejected_reason = el.dataset.reason;
  const answer = await fetch("/_sandbox/templates", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  document.getElementById("announce").textContent = answer.ok ? `${body.name} is ${el.dataset.to}` : (await answer.json()).error;
  await refreshAccount();
}

let drawn = "";

async function refreshAccount() {
  const answer = await fetch("/_sandbox/account", { cache: "no-store" });
  if (!answer.ok) return;
  const html = await answer.text();
  if (html !== drawn) document.getElementById("account").innerHTML = html;
  drawn = html;
}

document.addEventListener("click", (event) => {
  const el = event.target.closest("button");
  if (!el) return;
  if (el.dataset.tap) tap(el);
  else if (el.dataset.set) review(el);
  else if ("open" in el.dataset) {
    const sheet = el.nextElementSibling;
    phoneOf(el).append(sheet);
    sheet.dataset.home = el.closest(".bubble").id;
    sheet.show();
    sheet.querySelector("button").focus();
  } else if ("close" in el.dataset) el.closest("dialog").close();
  else if ("more" in el.dataset || "less" in el.dataset) count(el);
  else if ("cart" in el.dataset) order(el);
  else if ("photo" in el.dataset) act(el, { type: "image", text: "", filename: "photo.jpg" });
});

// A sheet stands outside of its bubble while it is open, so that the thread
// may scroll; it goes home when it closes.
document.addEventListener("close", (event) => {
  const sheet = event.target;
  const home = document.getElementById(sheet.dataset.home || "");
  const opener = home && home.querySelector("[data-open]");
  if (opener) {
    opener.after(sheet);
    opener.focus();
  }
}, true);

document.addEventListener("keydown", (event) => {
  const sheet = event.key === "Escape" && document.querySelector("dialog[open]");
  if (sheet) sheet.close();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  if ("composer" in form.dataset) {
    const input = form.elements.text;
    const text = input.value.trim();
    input.value = "";
    if (text) act(form, { type: "text", text });
  } else {
    const f = form.elements;
    const query = new URLSearchParams(new FormData(form));
    const chats = query.getAll("chat");
    chats.push([f.provider.value, f.number.value, f.user.value].join("/"));
    location.search = chats.map((c) => "chat=" + encodeURIComponent(c)).join("&");
  }
});

function merge(phone, bubbles) {
  const thread = phone.querySelector(".thread");
  const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 60;
  for (const b of bubbles) {
    const there = document.getElementById(b.id);
    if (!there) {
      const holder = document.createElement("template");
      holder.innerHTML = b.html;
      thread.append(holder.content);
      continue;
    }
    const tick = there.querySelector(".tick");
    if (tick && tick.title !== b.word) {
      tick.textContent = b.tick;
      tick.title = b.word;
      tick.className = "tick " + b.word;
    }
  }
  if (atEnd) thread.scrollTop = thread.scrollHeight;
}

async function refresh() {
  const answer = await fetch("/_sandbox/chats" + location.search, { cache: "no-store" });
  if (!answer.ok) return;
  for (const chat of await answer.json()) {
    const phone = [...document.querySelectorAll(".phone")].find((p) => p.dataset.key === chat.key);
    if (phone) merge(phone, chat.bubbles);
    else if (!busy()) return location.reload();
  }
}

// busy tells that a reload would take something away from the person.
function busy() {
  return document.querySelector("dialog[open]") || [...document.querySelectorAll("input:not([type=hidden])")].some((i) => i.value);
}

for (const thread of document.querySelectorAll(".thread")) thread.scrollTop = thread.scrollHeight;
setInterval(() => refresh().then(refreshAccount).catch(() => {}), 700);
