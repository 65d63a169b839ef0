// The page of the desk. Whatever comes from clips, tables or jobs is set as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const words = JSON.parse(byId("words").textContent);
const offer = JSON.parse(byId("offer").textContent);
const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const say = (key, values = {}) =>
  (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw { code: "unreachable", cause: say("failed"), next_step: say("away") };
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw { code: body.code ?? String(answer.status), cause: body.cause ?? say("failed"), next_step: body.next_step ?? "" };
  return body;
}

function showProblem(box, problem) {
  box.hidden = !problem;
  if (!problem) return;
  if (problem instanceof Error) problem = { code: problem.name, cause: problem.message, next_step: "" };
  const step = problem.next_step ? make("div", { className: "note", textContent: `${say("next_step")}: ${problem.next_step}` }) : null;
  box.replaceChildren(make("code", { textContent: problem.code }), ` ${problem.cause}`, ...(step ? [step] : []));
}

// --- find ------------------------------------------------------------------------------------------------------------

const PAGE = 24;
const MOST = 200;
const MOMENTS = 8; // in the strip of a shot
let names = {};
let limit = PAGE;
let asked = 0;

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
const tagName = (tag) => names[tag]?.[lang] || tag;

async function find() {
  const turn = ++asked;
  const query = byId("query").value.trim();
  remember(query);
  try {
    const found = await ask(`/api/find?${new URLSearchParams({ q: query, limit })}`);
    if (turn !== asked) return; // a later search has been sent meanwhile
    showProblem(byId("find-problem"), null);
    byId("found").textContent = found.total
      ? say("found", { total: found.total, ms: Math.round(found.took_ms) }) : say(query ? "nothing" : "empty");
    byId("shots").replaceChildren(...found.shots.map(shotCard));
    byId("more").hidden = found.shots.length >= found.total || limit >= MOST;
    byId("query").removeAttribute("aria-invalid");
  } catch (problem) {
    if (turn !== asked) return;
    showProblem(byId("find-problem"), problem);
    byId("query").setAttribute("aria-invalid", "true");
    byId("found").textContent = ""; // what was found before is no answer to this query
    byId("shots").replaceChildren();
    byId("more").hidden = true;
  }
}

function remember(query) {
  const address = new URL(location.href);
  address.searchParams.set("lang", lang);
  if (query) address.searchParams.set("q", query);
  else address.searchParams.delete("q");
  history.replaceState(null, "", address);
  const other = new URL(byId("switch").href);
  if (query) other.searchParams.set("q", query);
  else other.searchParams.delete("q");
  byId("switch").href = other.href;
}

function shotCard(shot) {
  const shown = shot.tags.slice(0, 8);
  const picture = make("img", {
    src: `/api/shots/${shot.shot}/thumb`, loading: "lazy", decoding: "async",
    alt: shown.map((tag) => tagName(tag.tag)).join(lang === "zh" ? "、" : ", ") || shot.path,
  });
  const times = make("span", { className: "clock" });
  const frame = make("div", { className: "frame" }, picture, times, scrubber(shot, times));
  picture.addEventListener("error", () => picture.replaceWith(say("no_thumb")));
  const path = make("p", { className: "path", title: shot.path }, make("bdi", { textContent: shot.path.split("/").pop() }));
  return make("li", {}, frame, make("div", { className: "text" }, path, make("div", { className: "tags" }, ...shown.map(tagButton))));
}

// Moments of the shot under the pointer, the finger or the arrow keys: a slider over the picture.
function scrubber(shot, times) {
  const slider = make("input", { type: "range", className: "scrub", min: 0, max: MOMENTS - 1, step: 1, value: 0 });
  slider.setAttribute("aria-label", say("scrub"));
  let strip = null;
  const show = () => {
    if (!strip) {
      strip = make("img", { className: "strip", src: `/api/shots/${shot.shot}/strip`, alt: "" });
      strip.addEventListener("error", () => { strip.hidden = true; });
      slider.before(strip);
    }
    const moment = Number(slider.value);
    strip.style.transform = `translateX(${(-100 * moment) / MOMENTS}%)`;
    times.textContent = clock(shot.start + ((moment + 0.5) / MOMENTS) * (shot.end - shot.start));
    slider.setAttribute("aria-valuetext", times.textContent);
  };
  const hide = () => {
    strip?.remove();
    strip = null;
    times.textContent = `${clock(shot.start)}–${clock(shot.end)}`;
  };
  hide();
  slider.addEventListener("input", show);
  slider.addEventListener("focus", show);
  slider.addEventListener("blur", hide);
  slider.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse") return; // a finger drags the slider itself
    slider.value = Math.min(MOMENTS - 1, Math.floor((event.offsetX / slider.clientWidth) * MOMENTS));
    show();
  });
  slider.addEventListener("pointerleave", () => { if (document.activeElement !== slider) hide(); });
  return slider;
}

function tagButton(tag) {
  const title = `${say("add_tag", { tag: tagName(tag.tag) })} · ${say(`modality_${tag.modality}`)}`;
  const share = make("small", { textContent: `${Math.round(tag.confidence * 100)}%` });
  const button = make("button", { type: "button", title }, tagName(tag.tag), share);
  button.addEventListener("click", () => {
    byId("query").value = narrowed(byId("query").value.trim(), lang === "zh" ? tagName(tag.tag) : tag.tag);
    search();
  });
  return button;
}

// The query and this tag as well; what stands between | is held together.
function narrowed(query, tag) {
  if (!query) return tag;
  if (query.split(/\s*&\s*/).includes(tag)) return query;
  return `${query.includes("|") ? `(${query})` : query} & ${tag}`;
}

function search() {
  limit = PAGE;
  find();
}

byId("find").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
byId("more").addEventListener("click", () => {
  limit = Math.min(MOST, limit + 2 * PAGE);
  find();
});

// --- order -----------------------------------------------------------------------------------------------------------

const kinds = new Map(offer.templates.map((kind) => [kind.name, kind]));
let table = null;
let reading = Promise.resolve(); // of the table
let key = crypto.randomUUID(); // one order, however often it is sent

function describeTemplate() {
  const kind = kinds.get(byId("template").value);
  if (!kind) return;
  byId("about").textContent = kind.description[lang] + (lang === "zh" ? "" : " ") + say(`needs_${kind.needs}`) + (lang === "zh" ? "。" : ".");
  const tableless = kind.needs === "nothing" && !kind.takes_table;
  byId("data-field").hidden = tableless;
  if (tableless) byId("data").value = "";
  reading = readTable();
  byId("seconds").placeholder = say("seconds_hint", { seconds: kind.seconds });
  byId("inputs").replaceChildren(...Object.entries(kind.inputs).map(([name, input]) => inputField(name, input)));
}

function inputField(name, input) {
  const id = `set-${name}`;
  const choices = input.type === "flag" ? ["yes", "no"] : input.choices;
  const field = choices.length
    ? make("select", { id }, make("option", { value: "", textContent: "–" }), ...choices.map((choice) => make("option", { textContent: choice })))
    : make("input", { id, maxLength: input.type === "integer" ? 6 : (input.maximum ?? 200), inputMode: input.type === "integer" ? "numeric" : "text" });
  if (!choices.length && input.default !== null) field.placeholder = String(input.default);
  field.name = `set:${name}`;
  const note = make("p", { id: `${id}-about`, className: "note", textContent: input.about });
  field.setAttribute("aria-describedby", note.id);
  return make("div", {}, make("label", { htmlFor: id, textContent: name }), field, note);
}

async function readTable() {
  const file = byId("data").files[0];
  table = null;
  byId("data-note").textContent = "";
  showProblem(byId("order-problem"), null);
  checkOrder();
  if (!file) return;
  try {
    const address = `/api/tables?${new URLSearchParams({ name: file.name.slice(-255) })}`;
    const read = await ask(address, { method: "POST", headers: { "Content-Type": "text/csv" }, body: file });
    if (byId("data").files[0] !== file) return;
    table = read;
    const rows = table.rows.filter((row) => row.length).length;
    byId("data-note").textContent = say("data_read", { name: table.name, rows, columns: table.columns.length });
  } catch (problem) {
    byId("data").value = "";
    checkOrder();
    showProblem(byId("order-problem"), problem);
  }
}

// What is missing is said by the browser at the field itself, when the order is submitted.
function checkOrder() {
  const needs = kinds.get(byId("template").value)?.needs ?? "nothing";
  const told = needs === "nothing" || byId("subject").value.trim() || byId("data").files.length;
  byId("subject").setCustomValidity(told ? "" : say(`needs_${needs}`));
  const boxes = [...byId("order").elements.aspect];
  boxes[0].setCustomValidity(boxes.some((box) => box.checked) ? "" : say("one_aspect"));
}

// The field knows no zone: the clock that is meant is the one of whoever fills it in.
const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const moment = (local) => local ? `${local} ${ZONE}` : "";

function order() {
  const form = new FormData(byId("order"));
  const set = {};
  for (const [name, value] of form) {
    if (name.startsWith("set:") && String(value).trim()) set[name.slice(4)] = String(value).trim();
  }
  return {
    template: form.get("template"), subject: form.get("subject").trim() || null, data: table, set,
    locale: form.get("locale"), seconds: form.get("seconds") ? Number(form.get("seconds")) : null,
    brand: form.get("brand"), seed: Number(form.get("seed") || 0), aspects: form.getAll("aspect"), draft: form.has("draft"),
    priority: Number(form.get("priority")), deadline: moment(form.get("deadline")), embargo: moment(form.get("embargo")),
  };
}

async function submit(event) {
  event.preventDefault();
  const button = event.submitter ?? byId("order").querySelector("button.main");
  button.disabled = true;
  try {
    await reading;
    const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
    const made = await ask("/api/jobs", { method: "POST", headers, body: JSON.stringify(order()) });
    key = crypto.randomUUID();
    showProblem(byId("order-problem"), null);
    byId("submitted").textContent = say("submitted", { job: made.job.slice(0, 8) });
  } catch (problem) {
    byId("submitted").textContent = "";
    showProblem(byId("order-problem"), problem);
  } finally {
    button.disabled = false;
  }
}

byId("embargo-note").textContent = say("zone_note", { zone: ZONE });
byId("data").addEventListener("change", () => { reading = readTable(); });
byId("template").addEventListener("change", describeTemplate);
byId("order").addEventListener("input", () => {
  key = crypto.randomUUID();
  checkOrder();
});
byId("order").addEventListener("submit", submit);

// --- jobs ------------------------------------------------------------------------------------------------------------

const jobs = new Map();
const rows = new Map();
const MOST_ROWS = 50;

const isClip = (job) => job.kind === "ingest";
const titleOf = (job) => isClip(job) ? job.title : [kinds.get(job.order.template)?.title[lang] ?? job.order.template, job.order.subject ?? job.order.table].filter(Boolean).join(" · ");
const has = (job, role) => job.outputs.some((output) => output.role === role && output.url);

function hear(job) {
  const known = jobs.get(job.job);
  const old = rows.get(job.job);
  jobs.set(job.job, job);
  byId("no-jobs").hidden = true;
  if (old && whereItStands(known) === whereItStands(job)) { // a row that only goes on is left under the pointer
    showProgress(job, old);
    return;
  }
  const row = jobRow(job);
  const focused = old?.contains(document.activeElement) ? document.activeElement.dataset.verb : null;
  rows.set(job.job, row);
  if (old) old.replaceWith(row);
  else byId("jobs").prepend(row);
  if (focused) row.querySelector(`[data-verb="${focused}"]`)?.focus();
  while (rows.size > MOST_ROWS) forget(byId("jobs").lastElementChild);
  if (playing?.job === job.job) {
    playing = job;
    showVerbs();
  }
}

function forget(row) {
  for (const [id, known] of rows) {
    if (known === row) {
      rows.delete(id);
      jobs.delete(id);
    }
  }
  row.remove();
}

function statePill(job, pill = make("span", { className: "state" })) {
  pill.dataset.state = job.state;
  pill.textContent = job.cancel_asked && ["planning", "rendering"].includes(job.state) ? say("cancelling") : say(`state_${isClip(job) && job.state === "planning" ? "reading" : job.state}`);
  return pill;
}

const USUAL = 5; // priority of what a person orders
const isWorking = (job) => ["queued", "planning", "rendering"].includes(job.state);
const holds = (job) => job.embargo && !["published", "withdrawn", "done", "failed", "dead", "cancelled"].includes(job.state);
const whereItStands = (job) => JSON.stringify([job.state, job.cancel_asked, job.attempt, job.error, job.embargo, job.outputs]);

function showProgress(job, row) {
  const about = [when(job.created_at), job.job.slice(0, 8), isClip(job) ? say("clip") : job.order.locale, (job.order.aspects ?? []).join(" "),
    job.order.draft ? say("draft_mark") : "", holds(job) ? say("embargo_until", { until: job.embargo.until }) : "",
    job.priority === USUAL ? "" : say("priority", { priority: job.priority }),
    job.state === "queued" && job.deadline ? say("begun_by", { when: when(job.deadline) }) : "",
    isWorking(job) ? `${Math.round(job.progress * 100)}% ${job.step}`.trim() : job.state === "done" ? job.step : ""];
  row.querySelector(".note").textContent = about.filter(Boolean).join(" · ");
  const stall = row.querySelector(".stalled");
  stall.hidden = !job.stalled;
  stall.textContent = job.stalled ? say(`stalled_${job.stalled}`) : "";
  const bar = row.querySelector("progress");
  if (bar) bar.value = job.progress;
}

function when(moment) {
  const date = new Date(moment);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(document.documentElement.lang, today ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "short" });
}

function jobRow(job) {
  const title = titleOf(job);
  const working = isWorking(job);
  const bar = make("progress", { max: 1 });
  bar.setAttribute("aria-label", say("progress_of", { title }));
  const problem = make("div", { className: "problem" });
  showProblem(problem, job.error);
  const actions = make("div", { className: "actions" },
    has(job, "video") ? verbButton("play", () => play(job.job)) : null,
    working && !job.cancel_asked ? verbButton("cancel", () => move(job.job, "cancel", byId("jobs-problem"))) : null,
    ["failed", "dead", "cancelled"].includes(job.state) ? verbButton("retry", () => move(job.job, "retry", byId("jobs-problem"))) : null);
  const row = make("li", {}, make("div", { className: "row" }, make("strong", { textContent: title }), statePill(job)),
    make("p", { className: "note" }), make("p", { className: "note stalled" }), working ? bar : null, problem, actions);
  showProgress(job, row);
  return row;
}

function verbButton(verb, act) {
  const button = make("button", { type: "button", textContent: say(verb), className: verb === "play" ? "main" : "" });
  button.dataset.verb = verb;
  button.addEventListener("click", act);
  return button;
}

async function move(job, verb, box) {
  try {
    await ask(`/api/jobs/${job}/${verb}`, { method: "POST" });
    showProblem(box, null);
    hear(await ask(`/api/jobs/${job}`));
  } catch (problem) {
    showProblem(box, problem);
  }
}

function watch() {
  const stream = new EventSource("/api/jobs/events");
  const live = byId("live");
  const on = (said, open) => {
    live.textContent = said;
    live.classList.toggle("on", open);
  };
  stream.addEventListener("open", () => on(say("live"), true));
  stream.addEventListener("job", (event) => hear(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    on(say("away"), false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(watch, 3000);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}
addEventListener("pageshow", (event) => { if (event.persisted) watch(); }); // back from another page

// --- player ----------------------------------------------------------------------------------------------------------

const ROLES = ["video", "poster", "cover", "srt", "vtt", "timeline", "trace", "package", "credits", "credits-text"];
let playing = null;

function play(id) {
  playing = jobs.get(id);
  const videos = playing.outputs.filter((output) => output.role === "video" && output.url);
  byId("player-title").textContent = titleOf(playing);
  byId("tabs").replaceChildren(...videos.map(aspectTab));
  byId("tabs").hidden = videos.length < 2;
  showProblem(byId("player-problem"), null);
  showVerbs();
  load(videos[0].aspect);
  byId("player").showModal();
  byId("video").play().catch(() => {}); // a browser may want another click; its own control is there
}

function aspectTab(output) {
  const tab = make("button", { type: "button", textContent: output.aspect });
  tab.addEventListener("click", () => load(output.aspect));
  return tab;
}

function load(aspect) {
  showProblem(byId("player-problem"), null);
  const made = (role) => playing.outputs.find((output) => output.aspect === aspect && output.role === role && output.url);
  const files = Object.fromEntries(ROLES.filter(made).map((role) => [role, made(role).url]));
  for (const tab of byId("tabs").children) tab.setAttribute("aria-pressed", String(tab.textContent === aspect));
  const video = byId("video");
  // The captions are burnt in already; the track is there for whoever wants them larger, or read aloud.
  const track = files.vtt ? [make("track", { kind: "captions", src: files.vtt, srclang: playing.order.locale, label: say("captions") })] : [];
  video.replaceChildren(...track);
  video.poster = files.poster ?? "";
  video.src = files.video;
  const link = (url, textContent) => make("a", { href: `${url}?download=true`, textContent });
  const links = Object.entries(files).map(([role, url]) => link(url, say(`role_${role}`)));
  // Covers of shapes that no video has stand under every video.
  const shapes = new Set(playing.outputs.filter((output) => output.role === "video").map((output) => output.aspect));
  const covers = playing.outputs.filter((output) => output.role === "cover" && !shapes.has(output.aspect) && output.url);
  byId("links").replaceChildren(...links, ...covers.map((cover) => link(cover.url, `${say("role_cover")} ${cover.aspect}`)));
}

function showVerbs() {
  const pressed = document.activeElement;
  statePill(playing, byId("player-state"));
  byId("approve").hidden = playing.state !== "review";
  byId("publish").hidden = playing.state !== "approved";
  byId("withdraw").hidden = playing.state !== "published";
  byId("discard").hidden = playing.state !== "review";
  if (pressed?.hidden) byId("close").focus(); // the button that was pressed is gone
}

async function tellWhy() {
  const address = byId("video").getAttribute("src");
  if (!address) return;
  try {
    await ask(address, { headers: { Range: "bytes=0-0" } });
    throw { code: "no-video", cause: say("no_video"), next_step: "" };
  } catch (problem) {
    showProblem(byId("player-problem"), problem);
  }
}

byId("approve").addEventListener("click", () => move(playing.job, "approve", byId("player-problem")));
byId("publish").addEventListener("click", () => move(playing.job, "publish", byId("player-problem")));
byId("withdraw").addEventListener("click", () => move(playing.job, "withdraw", byId("player-problem")));
byId("discard").addEventListener("click", () => move(playing.job, "cancel", byId("player-problem")));
byId("video").addEventListener("error", tellWhy);
byId("close").addEventListener("click", () => byId("player").close());
byId("player").addEventListener("close", () => {
  const video = byId("video");
  video.pause();
  video.removeAttribute("src");
  video.replaceChildren();
  video.load();
  rows.get(playing.job)?.querySelector("[data-verb=play]")?.focus(); // the row may be another one by now
  playing = null;
});

// --- start -----------------------------------------------------------------------------------------------------------

byId("query").value = new URLSearchParams(location.search).get("q") ?? "";
describeTemplate();
watch();
ask("/api/tags").then((known) => { names = known; }).catch(() => {}).finally(find);
