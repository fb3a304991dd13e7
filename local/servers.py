"""The servers behind the functions: PostgreSQL, Valkey, the AWS emulation and the simulated payment providers."""

import asyncio
import secrets as randomness
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import psycopg2
from psycopg2 import sql

from local import sendgrid_simulator
from local.ports import HOST, Ports, is_answering
from local.postgres import Postgres
from local.processes import CannotStart, Process, Processes, Program
from local.resources import Secret
from local.secret_store import SecretStore
from local.sendgrid_account import open_account
from local.state import State
from local.synthesis import REPOSITORY
from local.valkey import Valkey

_STRIPE, _PAYPAL, _SENDGRID = "-stripe", "-paypal", "-sendgrid"
_RESTARTS, _RESTARTS_WITHIN_SECONDS = 5, 60.0


class Servers:
    """All of them, on the ports that the state folder remembers.

    `declared` are the template's secrets: one names the database's administrator, others hold the keys of providers.
    """

    AWS = "aws"

    def __init__(
        self,
        state: State,
        chosen: Ports,
        processes: Processes,
        secrets: SecretStore,
        declared: Iterable[Secret],
        gateway_url: str,
    ) -> None:
        declared = list(declared)
        self._admin_secret = next(secret.name for secret in declared if secret.is_administrator)
        self._stripe_secret = next(secret.name for secret in declared if secret.name.endswith(_STRIPE))
        self._paypal_secret = next(s.name for s in declared if s.name.endswith(_PAYPAL))
        self._sendgrid_secret = next(s.name for s in declared if s.name.endswith(_SENDGRID))
        self.postgres = Postgres(state.folder / "postgres", chosen.of("postgres"))
        self.valkey = Valkey(state.folder / "valkey", chosen.of("valkey"), chosen.of("valkey-bus"))
        self.aws_port, self.lambda_port = chosen.of("aws"), chosen.of("lambda")
        self.stripe_port, self.paypal_port = chosen.of("stripe"), chosen.of("paypal")
        self._state, self._processes, self._secrets, self.gateway_url = (
            state,
            processes,
            secrets,
            gateway_url,
        )
        self._running: dict[str, Process] = {}
        self._restarts: deque[float] = deque(maxlen=_RESTARTS)

    @property
    def aws_url(self) -> str:
        return f"http://{HOST}:{self.aws_port}"

    @property
    def stripe_url(self) -> str:
        return f"http://{HOST}:{self.stripe_port}"

    @property
    def paypal_url(self) -> str:
        return f"http://{HOST}:{self.paypal_port}"

    def start(self) -> None:
        """Start all of them; returns before they are ready. Raises CannotStart."""
        self._fill_stripe_secret()
        sendgrid = f"{self.aws_url}{sendgrid_simulator.PATH}"
        open_account(self._state.folder, self._secrets, self._sendgrid_secret, sendgrid)
        self._fill_paypal_secret()
        for name, start in self._starts().items():
            self._running[name] = start()

    async def database_ready(self) -> None:
        """Return once PostgreSQL answers and has the administrator that the template's secret names."""
        await asyncio.to_thread(self._running["postgres"].wait_until, self.postgres.is_ready, 60)
        admin = self._secrets.value(self._admin_secret)
        _make_administrator(self.postgres, str(admin["username"]), str(admin["password"]))

    async def others_ready(self) -> None:
        """Return once everything else answers."""
        await asyncio.gather(*(self._ready(name) for name in ("valkey", self.AWS, "stripe", "paypal")))

    async def restart(self, name: str) -> None:
        """Start one again that ended by itself. Raises CannotStart when that does not help."""
        if (
            len(self._restarts) == _RESTARTS
            and time.monotonic() - self._restarts[0] < _RESTARTS_WITHIN_SECONDS
        ):
            raise CannotStart(f"{name} ends again and again: see {self._running[name].log}")
        self._restarts.append(time.monotonic())
        self._running[name] = self._starts()[name]()
        await self._ready(name)

    def _starts(self) -> dict[str, Callable[[], Process]]:
        return {
            "postgres": lambda: self.postgres.start(self._processes),
            "valkey": lambda: self.valkey.start(self._processes),
            self.AWS: lambda: self._processes.start(self._aws()),
            "stripe": lambda: self._processes.start(self._stripe()),
            "paypal": lambda: self._processes.start(self._paypal()),
        }

    async def _ready(self, name: str) -> None:
        checks = {
            "postgres": self.postgres.is_ready,
            "valkey": self.valkey.is_ready,
            self.AWS: lambda: is_answering(self.aws_port),
            "stripe": lambda: is_answering(self.stripe_port),
            "paypal": lambda: is_answering(self.paypal_port),
        }
        await asyncio.to_thread(self._running[name].wait_until, checks[name], 60)

    def _aws(self) -> Program:
        words = [
            "--port",
            self.aws_port,
            "--lambda-host",
            f"{HOST}:{self.lambda_port}",
            "--mails",
            self._state.mails,
            "--permissions",
            self._state.permissions,
            "--denied",
            self._state.denied,
        ]
        return _module("local.aws", self.AWS, words)

    def _stripe(self) -> Program:
        secret = self._secrets.value(self._stripe_secret)
        webhooks = f"{self.gateway_url}/api/payments/webhooks/stripe"
        words = [
            "--port",
            self.stripe_port,
            "--state",
            self._state.folder / "stripe",
            "--webhook-url",
            webhooks,
        ]
        words += ["--secret-key", secret["secretKey"], "--webhook-secret", secret["webhookSecret"]]
        return _module("local.stripe_simulator", "stripe", words)

    def _paypal(self) -> Program:
        secret = self._secrets.value(self._paypal_secret)
        webhooks = f"{self.gateway_url}/api/payments/webhooks/paypal"
        words = ["--port", self.paypal_port, "--state", self._paypal_state, "--webhook-url", webhooks]
        words += ["--client-id", secret["clientId"], "--client-secret", secret["clientSecret"]]
        words += ["--webhook-id", secret["webhookId"]]
        return _module("local.paypal_simulator", "paypal", words)

    @property
    def _paypal_state(self) -> Path:
        return self._state.folder / "paypal"

    def _fill_paypal_secret(self) -> None:
        """The simulated account at PayPal, and what signs its webhooks."""
        from local.paypal_simulator import certificates

        values: dict[str, str] = {
            "apiBase": self.paypal_url,
            "rootCertificate": certificates.of(self._paypal_state).root,
        }
        if not str(self._secrets.value(self._paypal_secret).get("clientId", "")).startswith("laptop"):
            values |= {
                "clientId": f"laptop{randomness.token_hex(12)}",
                "clientSecret": randomness.token_hex(16),
                "webhookId": f"WH-LAPTOP{randomness.token_hex(6).upper()}",
            }
        self._secrets.update(self._paypal_secret, values)
        self._secrets.save()

    def _fill_stripe_secret(self) -> None:
        """Keys of the simulated account, made once per state; its address changes with the port."""
        values: dict[str, str] = {"apiBase": self.stripe_url}
        if not str(self._secrets.value(self._stripe_secret).get("webhookSecret", "")).startswith(
            "whsec_laptop"
        ):
            values |= {
                "secretKey": f"sk_test_laptop{randomness.token_hex(12)}",
                "publishableKey": f"pk_test_laptop{randomness.token_hex(12)}",
                "webhookSecret": f"whsec_laptop{randomness.token_hex(16)}",
            }
        self._secrets.update(self._stripe_secret, values)
        self._secrets.save()


def _module(module: str, name: str, words: list[object]) -> Program:
    return Program(name, [sys.executable, "-m", module, *map(str, words)], folder=REPOSITORY)


def _make_administrator(postgres: Postgres, name: str, password: str) -> None:
    """The role that RDS would have made: it creates databases and roles, and is no superuser."""
    connection = psycopg2.connect(postgres.dsn("postgres"))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
            verb = "ALTER" if cursor.fetchone() else "CREATE"
            statement = sql.SQL("{} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}")
            cursor.execute(statement.format(sql.SQL(verb), sql.Identifier(name), sql.Literal(password)))
    finally:
        connection.close()
