"""The faults of a storm, as they strike: each stroke of the plan is ordered where it happens, and counted."""

import contextlib
import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

import psutil
import urllib3

from tests.e2e.client import Client
from tests.e2e.laptop import Laptop
from tests.faults import servers
from tests.faults.storm.dashboard import Dashboard
from tests.faults.storm.ledger import Ledger
from tests.faults.storm.plan import Stroke

SERVER_PAUSE_SECONDS = 20.0
"""Between two servers that go: the laptop cloud gives up on what ends again and again."""
HANG_SECONDS = 2.0
LANES = {"redis": "servers", "postgres": "servers", "dashboard": "people", "forgery": "people"}
"""What takes its time holds up nothing else: a storm's other faults are to strike while there are buyers."""
SEVERAL_TIMES_PROVIDER = ("error", "kill_before")
FORGED = {
    "stripe": (b'{"id": "evt_1", "type": "payment_intent.succeeded"}', {"Stripe-Signature": "t=1,v1=00"}),
    "paypal": (
        b'{"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED"}',
        {
            "PAYPAL-TRANSMISSION-ID": "69cd13f0-d67a-11e5-baa3-778b53f4ae55",
            "PAYPAL-TRANSMISSION-TIME": "2026-11-22T20:01:35Z",
            "PAYPAL-TRANSMISSION-SIG": "AAAA",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "PAYPAL-CERT-URL": "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270",
        },
    ),
}


class Lane:
    """Carries out strokes one after another, in a thread of its own."""

    def __init__(self, act: Callable[[Stroke], None]) -> None:
        self._act = act
        self._strokes: queue.Queue[Stroke | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.struck: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def start(self) -> None:
        """From now on what is handed over happens."""
        self._thread.start()

    def put(self, stroke: Stroke) -> None:
        """Have it happen as soon as those before it have."""
        self._strokes.put(stroke)

    def end(self, *, at_once: bool) -> None:
        """Return once all that was handed over has happened, or only what is happening now (`at_once`)."""
        with contextlib.suppress(queue.Empty):
            while at_once:
                late = self._strokes.get_nowait()
                assert late is not None
                self.missed[f"{late.kind} (too late)"] += 1
        self._strokes.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (stroke := self._strokes.get()) is not None:
            try:
                self._act(stroke)
                self.struck[stroke.kind] += 1
            except Exception as broken:  # noqa: BLE001  # a fault that could not be ordered is no finding
                self.missed[f"{stroke.kind} ({type(broken).__name__})"] += 1


class Weather:
    """Carries out strokes, those of a lane one after another. Start it, hand it strokes, calm it."""

    def __init__(self, laptop: Laptop, ledger: Ledger) -> None:
        self._laptop, self._ledger = laptop, ledger
        self._client: Client = laptop.client
        self._dashboard = Dashboard(laptop)
        self._lanes = {name: Lane(self._act) for name in ("faults", *sorted(set(LANES.values())))}
        self._server_went = 0.0
        self.unclear_mails = 0
        self._acts: dict[str, Callable[[Stroke], None]] = {
            "function": self._function,
            "point": self._point,
            "process": self._process,
            "queue": self._queue,
            "stripe": lambda stroke: self._provider("stripe", stroke),
            "paypal": lambda stroke: self._provider("paypal", stroke),
            "mail": self._mail,
            "webhooks": self._webhooks,
            "dashboard": lambda stroke: self._dashboard.act(stroke.mode, stroke.errand),
            "forgery": self._forgery,
            "redis": self._redis,
            "postgres": self._postgres,
        }

    def start(self) -> None:
        """Faults begin."""
        self._ledger.kills_are_on = True
        for lane in self._lanes.values():
            lane.start()

    def strike(self, strokes: list[Stroke]) -> None:
        """Have these happen as soon as those of their lane have that came before."""
        for stroke in strokes:
            self._lanes[LANES.get(stroke.kind, "faults")].put(stroke)

    def calm(self) -> None:
        """Carry out what was handed over, then take every fault back that has not struck yet.

        Servers go no more: without buyers there is nothing that they could take along.
        """
        for name, lane in self._lanes.items():
            lane.end(at_once=name == "servers")
        for port in ("stripe", "paypal"):
            urllib3.request("DELETE", f"{self._at(port)}/_control/faults", timeout=10)
        self._client.delete("/_local/faults").expect(204)

    @property
    def struck(self) -> Counter[str]:
        """How many faults of each kind there were."""
        return sum((lane.struck for lane in self._lanes.values()), Counter())

    @property
    def missed(self) -> Counter[str]:
        """Those that could not be had, and why."""
        return sum((lane.missed for lane in self._lanes.values()), Counter())

    def _act(self, stroke: Stroke) -> None:
        self._acts[stroke.kind](stroke)

    # ---- functions and queues

    def _function(self, stroke: Stroke) -> None:
        self._order({"target": stroke.target, "mode": stroke.mode, "times": stroke.times})
        self._count_mail(stroke)

    def _point(self, stroke: Stroke) -> None:
        self._order({"target": stroke.target, "mode": "kill", "point": stroke.mode, "times": stroke.times})
        self._count_mail(stroke)

    def _process(self, stroke: Stroke) -> None:
        """Kill a process of a function by its number, busy or not."""
        processes = self._lambdas()
        if processes:
            processes[stroke.errand % len(processes)].kill()
            self.unclear_mails += 1

    def _lambdas(self) -> list[psutil.Process]:
        """Forked from one parent that has loaded what functions have in common."""
        for process in self._laptop.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(word.endswith("zygote.py") for word in process.cmdline()) and process.children():
                    children: list[psutil.Process] = process.children()
                    return children
        return []

    def _queue(self, stroke: Stroke) -> None:
        target = f"box-office-dev-{stroke.target}-queue"
        self._order({"target": target, "mode": stroke.mode, "times": stroke.times})

    def _order(self, fault: dict[str, object]) -> None:
        self._client.post("/_local/faults", [fault]).expect(200)

    def _count_mail(self, stroke: Stroke) -> None:
        if stroke.target.endswith("consumer-mail") and stroke.mode not in ("slow", "duplicate"):
            self.unclear_mails += stroke.times * 10  # a batch has up to ten

    # ---- providers

    def _provider(self, name: str, stroke: Stroke) -> None:
        times = stroke.times if stroke.mode in SEVERAL_TIMES_PROVIDER else 1
        self._plan(name, {"mode": stroke.mode, "times": times, "seconds": stroke.seconds})

    def _webhooks(self, stroke: Stroke) -> None:
        self._plan(stroke.target, {"mode": stroke.mode, "times": stroke.times, "seconds": stroke.seconds})

    def _plan(self, name: str, fault: dict[str, object]) -> None:
        answer = urllib3.request("POST", f"{self._at(name)}/_control/faults", json=[fault], timeout=10)
        assert answer.status == 200, answer.data

    def _mail(self, stroke: Stroke) -> None:
        self._order({"target": stroke.target, "mode": stroke.mode, "times": stroke.times})
        if stroke.mode == "kill_after":
            self.unclear_mails += stroke.times

    def _forgery(self, stroke: Stroke) -> None:
        if stroke.target == "stripe" and stroke.mode != "nonsense":
            status, is_acceptable = self._dashboard.lie(self._client, stroke.mode, stroke.errand)
        else:
            body, headers = FORGED[stroke.target]
            answer = self._client.send("POST", f"/api/payments/webhooks/{stroke.target}", body, headers)
            status, is_acceptable = answer.status, False
        if status < 300 and not is_acceptable:
            self._ledger.lie(f"a forged webhook of {stroke.target} ({stroke.mode}) was answered {status}")

    # ---- servers

    def _redis(self, stroke: Stroke) -> None:
        if stroke.mode == "hang":
            with servers.hanging(self._laptop, servers.VALKEY):
                time.sleep(HANG_SECONDS)
            return
        self._pause()
        servers.fail_over(self._laptop, servers.VALKEY)

    def _postgres(self, stroke: Stroke) -> None:
        self._pause()
        servers.fail_over(self._laptop, servers.POSTGRES, signal.Signals[stroke.mode])

    def _pause(self) -> None:
        """Wait until the last server has been gone long enough ago."""
        time.sleep(max(0.0, self._server_went + SERVER_PAUSE_SECONDS - time.monotonic()))
        self._server_went = time.monotonic()

    def _at(self, name: str) -> str:
        return f"http://127.0.0.1:{servers.port_of(self._laptop, name)}"
