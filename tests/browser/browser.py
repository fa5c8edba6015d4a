# SPDX-License-Identifier: Apache-2.0
"""A real browser for the tests of pages: headless chromium, driven over a pair of pipes by the DevTools protocol.

    if not browser.found():
        print("skip votes: chromium is missing")
    with browser.Browser() as chromium:
        page = chromium.open("sheet.html")
        page.key("a", "Control+z")
        page.click("#export")
        name, data = page.download()
        assert page.js("document.title") == "Votes" and not page.faults()

Only the standard library is used.  Nothing outside the page's own file is reachable: names are not resolved, and faults()
tells of every request that was for anything but file:, data: or blob:.  Waiting is for events, for at most LIMIT seconds each.
"""
import base64, fcntl, json, os, pathlib, select, shutil, signal, subprocess, tempfile, time

LIMIT = 90
FLAGS = ("--headless --no-sandbox --remote-debugging-pipe --no-first-run --no-default-browser-check --disable-gpu --disable-dev-shm-usage "
         "--disable-extensions --disable-sync --disable-component-update --disable-background-networking --mute-audio "
         "--hide-scrollbars --lang=en-US").split() + ["--host-resolver-rules=MAP * ~NOTFOUND"]
OWN = ("file:", "data:", "blob:", "about:")
# Keys without a character of their own, and the code that the browser's default action looks at.
NAMED = {"Backspace": 8, "Tab": 9, "Enter": 13, "Escape": 27, "PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "ArrowLeft": 37,
         "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Delete": 46}
MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}
TEXT = {"Enter": "\r", "Tab": "\t"}


class BrowserError(Exception):
    pass


def found():
    """The path of chromium, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One process with a profile of its own, both gone at the end of the with block."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sft-browser.", ignore_cleanup_errors=True)
        self.downloads = pathlib.Path(self.folder.name, "downloads")
        self.downloads.mkdir()
        ours, theirs = self._pipes()
        self.process = subprocess.Popen(
            # the browser reads file 3 and writes file 4
            ["bash", "-c", 'in=$1 out=$2; shift 2; exec "$@" 3<&"$in" 4>&"$out"', "-", *map(str, theirs),
             found(), *FLAGS, f"--user-data-dir={self.folder.name}/profile", "about:blank"],
            pass_fds=theirs, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "HOME": self.folder.name, "XDG_CONFIG_HOME": self.folder.name, "XDG_CACHE_HOME": self.folder.name})
        for fd in theirs:
            os.close(fd)
        self.to, self.back = ours
        self.number, self.rest, self.pages = 0, b"", {}
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads), eventsEnabled=True)
        return self

    @staticmethod
    def _pipes():
        """((write, read) of ours, (read, write) of the browser's), the latter clear of 3 and 4."""
        r1, w1 = os.pipe()
        r2, w2 = os.pipe()
        theirs = tuple(fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (r1, w2))
        os.close(r1)
        os.close(w2)
        return (w1, r2), theirs

    def __exit__(self, *_):
        for fd in (self.to, self.back):
            os.close(fd)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.folder.cleanup()

    def _message(self, until):
        """The next message; None when the time UNTIL has come."""
        while b"\0" not in self.rest:
            if not select.select([self.back], [], [], max(0, until - time.monotonic()))[0]:
                return None
            more = os.read(self.back, 1 << 20)
            if not more:
                raise BrowserError("the browser is gone")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def _event(self, m):
        page = self.pages.get(m.get("sessionId"))
        if m["method"].startswith("Browser.download"):
            for p in self.pages.values():
                p.happened.append((m["method"], m["params"]))
        elif page:
            page.event(m["method"], m["params"])

    def send(self, method, session=None, **params):
        """Call METHOD and return its result; what happens meanwhile goes to the pages."""
        self.number += 1
        m = {"id": self.number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        data = json.dumps(m).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        until = time.monotonic() + LIMIT
        while (answer := self._message(until)) is not None:
            if answer.get("id") == m["id"]:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            if "method" in answer:
                self._event(answer)
        raise BrowserError(f"{method}: no answer in {LIMIT} s")

    def pump(self, done):
        """Take events until DONE() is true."""
        until = time.monotonic() + LIMIT
        while not done():
            m = self._message(until)
            if m is None:
                raise BrowserError(f"nothing came in {LIMIT} s")
            if "method" in m:
                self._event(m)

    def open(self, path, width=1000, height=800):
        """A new page with the file PATH in it, loaded."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        page.size(width, height)
        page.go(path)
        return page


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.happened = []              # (method, parameters) of what somebody waits for
        self.console = []               # errors and warnings, exceptions that nobody caught
        self.requests = []              # every address that was asked for
        self.dialogs = []               # texts of alert and confirm; all are answered with yes

    def send(self, method, **params):
        return self.browser.send(method, self.session, **params)

    def event(self, method, p):
        if method == "Runtime.exceptionThrown":
            d = p["exceptionDetails"]
            self.console.append(d.get("exception", {}).get("description") or d["text"])
        elif method == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert"):
            self.console.append(" ".join(str(a.get("value", a.get("description"))) for a in p["args"]))
        elif method == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
            self.console.append(p["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(p["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(p["message"])
            # answered at once and without waiting: whatever opened it holds the page until then
            data = json.dumps({"id": 0, "sessionId": self.session, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}})
            os.write(self.browser.to, data.encode() + b"\0")
        elif method == "Page.loadEventFired":
            self.happened.append((method, p))

    def _wait(self, wanted):
        """The first event for which WANTED(method, parameters) is true, taken out."""
        found = []

        def look():
            for k, (m, p) in enumerate(self.happened):
                if wanted(m, p):
                    found.append(p)
                    del self.happened[k]
                    return True
            return False
        self.browser.pump(look)
        return found[0]

    def go(self, path):
        self.happened.clear()
        self.send("Page.navigate", url=path if "://" in str(path) else pathlib.Path(path).resolve().as_uri())
        self._wait(lambda m, _: m == "Page.loadEventFired")

    def reload(self):
        self.happened.clear()
        self.send("Page.reload")
        self._wait(lambda m, _: m == "Page.loadEventFired")

    def js(self, expression):
        """The value of EXPRESSION; promises are awaited."""
        r = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True)
        if "exceptionDetails" in r:
            d = r["exceptionDetails"]
            raise BrowserError(d.get("exception", {}).get("description") or d["text"])
        return r["result"].get("value")

    def key(self, *keys):
        """Press and release keys: "a", "Enter", "Control+z", "Shift+Tab"."""
        for one in keys:
            *held, name = [one] if len(one) == 1 else one.split("+")
            bits = sum(MODIFIERS[h] for h in held)
            text = TEXT.get(name, name if len(name) == 1 and not bits & 7 else "")
            code = NAMED.get(name) or ord(name.upper())
            what = {"key": name, "modifiers": bits, "windowsVirtualKeyCode": code,
                    "code": name if name in NAMED else f"Key{name.upper()}" if name.isalpha() else f"Digit{name}"}
            self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **what, **({"text": text} if text else {}))
            self.send("Input.dispatchKeyEvent", type="keyUp", **what)

    def type(self, text):
        """Put TEXT where the focus is, as an input method does."""
        self.send("Input.insertText", text=text)

    def click(self, selector):
        """Click in the middle of the first element that SELECTOR finds; it must be there and be seen."""
        at = self.js("(() => { const e = document.querySelector(%s); if (!e) return null; e.scrollIntoView({block: 'center'});"
                     "const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2, r.width * r.height]; })()"
                     % json.dumps(selector))
        if not at or at[2] <= 0:
            raise BrowserError(f"{selector}: nothing to click on")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", clickCount=1)

    def download(self):
        """(name that the page gave, bytes) of the next download."""
        begun = self._wait(lambda m, _: m == "Browser.downloadWillBegin")
        end = self._wait(lambda m, p: m == "Browser.downloadProgress" and p["guid"] == begun["guid"] and p["state"] != "inProgress")
        if end["state"] != "completed":
            raise BrowserError(f"download of {begun['suggestedFilename']}: {end['state']}")
        path = pathlib.Path(end.get("filePath") or self.browser.downloads / begun["suggestedFilename"])
        data = path.read_bytes()
        path.unlink()
        return begun["suggestedFilename"], data

    def upload(self, selector, path):
        """Choose the file PATH in the file input that SELECTOR finds."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(pathlib.Path(path).resolve())])

    def media(self, kind="screen", scheme="light", motion="no-preference"):
        """As on paper ("print"), in a dark room ("dark"), with "reduce"d motion."""
        self.send("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": motion}])

    def size(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path, whole=False):
        """Write what is seen (the WHOLE page) to PATH as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def pdf(self):
        """The bytes of the page as printed."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=False)["data"])

    def accessible(self):
        """[(role, name)] of all that a screen reader is told, in order."""
        nodes = self.send("Accessibility.getFullAXTree")["nodes"]
        return [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored")]

    def faults(self):
        """What must not be: errors on the console, requests that leave the page's own file."""
        return self.console + [f"request for {u}" for u in self.requests if not u.startswith(OWN)]
