/* SPDX-License-Identifier: Apache-2.0 */
/* A sheet to label, vote or settle on: one row at a time, by keyboard.  What is in it: eval/sheetpage.h.
 * Answers live in this browser's local storage, under the sheet's own name, and leave it as CSV. */
"use strict";

const sheet = JSON.parse(document.getElementById("data").textContent);
const store = "sft-sheet-" + sheet.id;
const $ = id => document.getElementById(id);
const many = 20;                /* labels from which one can search among them */

let state = { who: sheet.who || "", at: 0, answers: Object.create(null) };
let undone = [];                /* what choose() and clear() replaced, the last one at the end */

/* --- answers --- */

const rowNow = () => sheet.rows[state.at];
const answerOf = id => state.answers[id] || { label: "", note: "" };
const answered = () => sheet.rows.filter(r => answerOf(r.id).label !== "").length;
const firstOpen = () => sheet.rows.findIndex(r => answerOf(r.id).label === "");

function save() {
	try {
		localStorage.setItem(store, JSON.stringify(state));
		$("saved").textContent = "saved in this browser";
	} catch (e) {
		$("saved").textContent = "this browser saves nothing: export before you close the page";
	}
}

function load() {
	for (const r of sheet.rows)
		if (r.label || r.note)
			state.answers[r.id] = { label: r.label || "", note: r.note || "" };
	try {
		const kept = JSON.parse(localStorage.getItem(store) || "null");
		if (kept) {
			Object.assign(state.answers, kept.answers);
			state.who = sheet.who || kept.who;
		}
	} catch (e) {
		/* save() says so */
	}
	state.at = Math.max(0, firstOpen());
}

function say(text, bad) {
	$("said").textContent = text;
	$("said").className = bad ? "bad" : "";
}

/* --- what is seen --- */

function block(to, name, text, level) {
	const box = document.createElement("div"), head = document.createElement(level), body = document.createElement("div");
	head.textContent = name;
	body.textContent = text;
	body.className = "text";
	body.dir = "auto";
	box.append(head, body);
	to.append(box);
}

function show() {
	const row = rowNow(), answer = answerOf(row.id), n = answered();
	$("place").textContent = `Item ${state.at + 1} of ${sheet.rows.length}`;
	$("parts").replaceChildren();
	$("sides").replaceChildren();
	for (const [name, text] of row.parts)
		block($("parts"), name, text, "h3");
	for (const [name, text] of row.sides || [])
		block($("sides"), name, text, "h3");
	for (const b of $("choices").children)
		b.setAttribute("aria-pressed", String(b.value === answer.label));
	$("note").value = answer.note;
	$("jump").value = state.at + 1;
	$("bar").max = sheet.rows.length;
	$("bar").value = n;
	$("done").textContent = `${n} of ${sheet.rows.length} done`;
	$("back").disabled = state.at === 0;
	$("next").disabled = state.at === sheet.rows.length - 1;
	$("undo").disabled = undone.length === 0;
}

function go(at) {
	state.at = Math.min(Math.max(0, at), sheet.rows.length - 1);
	save();
	show();
	$("item").focus({ preventScroll: true });
	$("item").scrollIntoView({ block: "nearest" });
}

function put(label) {
	const id = rowNow().id, before = answerOf(id);
	undone.push({ id, label: before.label, at: state.at });
	state.answers[id] = { label, note: before.note };
}

function choose(label) {
	put(label);
	const left = sheet.rows.length - answered();
	say(left ? `${label}. ${left} to do.` : `${label}. All are done: export them now.`);
	$("find").value = "";
	search();
	go(state.at + 1);
}

function clear() {
	put("");
	say("Cleared.");
	go(state.at);
}

function undo() {
	const last = undone.pop();
	if (!last)
		return;
	state.answers[last.id] = { label: last.label, note: answerOf(last.id).note };
	say(`Undone: item ${last.at + 1} is ${last.label || "open"} again.`);
	go(last.at);
}

function search() {
	const want = $("find").value.toLowerCase();
	for (const b of $("choices").children)
		b.hidden = !b.textContent.toLowerCase().includes(want);
}

/* --- CSV --- */

const cell = s => /[",\r\n]/.test(s) ? '"' + s.replaceAll('"', '""') + '"' : s;

function csv() {
	const head = [...sheet.whoColumn ? [sheet.whoColumn] : [], sheet.idColumn, sheet.answerColumn, "note"];
	const lines = sheet.rows.map(r => {
		const a = answerOf(r.id);
		return [...sheet.whoColumn ? [state.who] : [], r.id, a.label, a.note];
	});
	return [head, ...lines].map(l => l.map(cell).join(",") + "\n").join("");
}

function exportCsv() {
	if (sheet.whoColumn && !state.who) {
		say("Write your name first: it goes into the file.", true);
		$("who").focus();
		return;
	}
	const a = document.createElement("a");
	a.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
	a.download = (sheet.file || state.who).replace(/[\/\\:*?"<>|\x00-\x1f]/g, "_") + ".csv";
	a.click();
	setTimeout(() => URL.revokeObjectURL(a.href), 60000);
	say(`Exported ${answered()} of ${sheet.rows.length} to ${a.download}.`);
}

/* RFC 4180: rows of cells. */
function parse(text) {
	const rows = [[""]];
	let quoted = false;
	for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
		const c = text[i], row = rows[rows.length - 1];
		if (quoted && c === '"' && text[i + 1] === '"')
			row[row.length - 1] += text[++i];
		else if (c === '"' && (quoted || row[row.length - 1] === ""))
			quoted = !quoted;
		else if (!quoted && c === ",")
			row.push("");
		else if (!quoted && (c === "\n" || c === "\r"))
			rows.push([""]);
		else
			row[row.length - 1] += c;
	}
	return rows.filter(r => r.length > 1);
}

function importCsv(text) {
	const [head, ...rows] = parse(text);
	const id = head ? head.indexOf(sheet.idColumn) : -1, label = head ? head.indexOf(sheet.answerColumn) : -1;
	const note = head ? head.indexOf("note") : -1, known = new Set(sheet.rows.map(r => r.id));
	const labels = new Set(sheet.choices.map(c => c.label));
	let read = 0, strange = 0;
	if (id < 0 || label < 0) {
		say(`That file has no columns ${sheet.idColumn} and ${sheet.answerColumn}.`, true);
		return;
	}
	for (const r of rows) {
		const has = r[label] !== "" || (note >= 0 && r[note] !== "");
		if (!known.has(r[id]) || (r[label] !== "" && !labels.has(r[label]))) {
			strange++;
		} else if (has) {
			state.answers[r[id]] = { label: r[label], note: note >= 0 ? r[note] : "" };
			read++;
		}
	}
	undone = [];
	go(Math.max(0, firstOpen()));
	say(`${read} rows read` + (strange ? `, ${strange} that are not of this sheet left out.` : "."), strange > 0);
}

/* --- keys --- */

const commands = {
	ArrowLeft: () => go(state.at - 1), Backspace: () => go(state.at - 1), ArrowRight: () => go(state.at + 1),
	Home: () => firstOpen() >= 0 && go(firstOpen()), Delete: clear, Enter: () => $("note").focus(),
	"/": () => $("search").hidden || $("find").focus(),
};

function held(e) {
	if (e.key.toLowerCase() === "z")
		undo();
	else if (e.key.toLowerCase() === "s")
		exportCsv();
	else
		return;
	e.preventDefault();
}

document.addEventListener("keydown", e => {
	const typing = e.target.matches("input, textarea"), choice = sheet.choices.find(c => c.key && c.key === e.key.toLowerCase());
	if (e.isComposing || e.altKey || sheet.rows.length === 0)
		return;
	if (typing && e.key === "Escape")
		$("item").focus();
	else if ((e.ctrlKey || e.metaKey) && (!typing || e.key.toLowerCase() !== "z"))
		held(e);
	else if (typing && e.target.id === "find" && e.key === "Enter")
		[...$("choices").children].find(b => !b.hidden)?.click();
	else if (typing || e.ctrlKey || e.metaKey || (e.key === "Enter" && e.target.matches("button, summary, a")))
		return;
	else if (choice)
		choose(choice.label);
	else if (Object.hasOwn(commands, e.key)) {
		commands[e.key]();
		e.preventDefault();
	}
});

/* --- paper --- */

function paper() {
	if ($("paper").hasChildNodes())
		return;
	for (const r of sheet.rows) {
		const box = document.createElement("div"), line = document.createElement("p");
		for (const [name, text] of [[sheet.idColumn, r.id], ...r.parts, ...r.sides || []])
			block(box, name, text, "h3");
		line.textContent = sheet.choices.map(c => "☐ " + c.label).join("   ");
		box.append(line);
		$("paper").append(box);
	}
}
addEventListener("beforeprint", paper);
matchMedia("print").addEventListener("change", e => e.matches && paper());

/* --- to begin --- */

document.title = $("title").textContent = sheet.title;
$("ask").hidden = sheet.who !== null || !sheet.whoColumn;
$("name").textContent = sheet.who || "";
$("guide").hidden = !sheet.guidelines;
$("guidelines").textContent = sheet.guidelines || "";
$("choices").setAttribute("aria-label", sheet.answerColumn);
$("search").hidden = sheet.choices.length < many;
for (const c of sheet.choices) {
	const b = document.createElement("button");
	b.value = c.label;
	b.append(c.label);
	if (c.key) {
		const k = document.createElement("kbd");
		k.textContent = c.key;
		b.append(" ", k);
		b.setAttribute("aria-keyshortcuts", c.key);
	}
	if (c.hint) {
		const hint = document.createElement("small");
		hint.textContent = c.hint;
		b.append(hint);
	}
	b.addEventListener("click", () => choose(c.label));
	$("choices").append(b);
}
$("back").addEventListener("click", commands.ArrowLeft);
$("next").addEventListener("click", commands.ArrowRight);
$("open").addEventListener("click", commands.Home);
$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", clear);
$("export").addEventListener("click", exportCsv);
$("find").addEventListener("input", search);
$("jump").addEventListener("change", () => go(Math.trunc($("jump").valueAsNumber || 1) - 1));
$("who").addEventListener("input", () => { state.who = $("who").value.trim(); save(); });
$("note").addEventListener("input", () => {
	state.answers[rowNow().id] = { label: answerOf(rowNow().id).label, note: $("note").value };
	save();
});
$("import").addEventListener("change", async () => {
	if ($("import").files.length)
		importCsv(await $("import").files[0].text());
	$("import").value = "";
});
if (sheet.rows.length === 0) {
	$("place").textContent = "There is nothing to do.";
	for (const e of document.querySelectorAll("header p, main > :not(article)"))
		e.hidden = true;
} else {
	load();
	$("who").value = state.who;
	save();
	show();
}
