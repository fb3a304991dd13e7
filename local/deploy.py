"""Creates in the emulator what the template declares, and runs the functions that run while deploying."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.assembly import Assembly
from local.invoke_api import FLAGS_FILE
from local.lambdas import LambdaHost
from local.resources import REGION, Bucket, Trigger
from local.secret_store import SecretStore


class SettingError(Exception):
    """A setting was given that the template does not declare, or a value that it does not allow."""


class TriggerError(Exception):
    """A function that runs while deploying failed; nothing can be served."""


class Deployment:
    """Deploys `assembly` to the empty emulator at `aws_url`.

    `settings` replace the values of parameters, by the last part of their names. What triggers write into secrets
    and parameters is kept in `state` and is there again at the next start.
    """

    def __init__(
        self,
        assembly: Assembly,
        aws_url: str,
        state: Path,
        secrets: SecretStore,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._assembly = assembly
        self._aws_url = aws_url
        self._secrets = secrets
        self._settings = dict(settings or {})
        self._kept = state / "parameters.json"
        self._flags = state / FLAGS_FILE
        self._session = botocore.session.get_session()
        self._check_settings()

    async def create(self) -> None:
        """Create everything. Raises botocore's errors if the emulator refuses."""
        await asyncio.to_thread(self._create)

    async def run_triggers(self, host: LambdaHost) -> None:
        """Run the triggers in their order, then keep what they wrote. Raises TriggerError."""
        for trigger in _in_order(self._assembly.triggers):
            answer = await host.invoke(trigger.function, b"{}")
            if answer.error is not None:
                reason = json.loads(answer.payload)
                raise TriggerError(f"{trigger.function} failed: {reason.get('errorMessage', reason)}")
        await self.save()

    async def save(self) -> None:
        """Keep the secrets and the parameters that functions have written. Does nothing if the emulator is gone."""
        await asyncio.to_thread(self._save)

    def _check_settings(self) -> None:
        known = {parameter.name.rsplit("/", 1)[-1]: parameter for parameter in self._assembly.parameters}
        for name, value in self._settings.items():
            if name not in known:
                raise SettingError(f"there is no setting {name}; there are {', '.join(sorted(known))}")
            pattern = known[name].pattern
            if pattern is not None and not re.search(pattern, value):
                raise SettingError(
                    f"{name} cannot be {value!r}: a value like {known[name].value!r} is wanted"
                )

    def _client(self, service: str) -> Any:
        return self._session.create_client(
            service,
            region_name=REGION,
            endpoint_url=self._aws_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def _create(self) -> None:
        self._create_messaging()
        self._create_parameters()
        if self._assembly.flags is not None and not self._flags.exists():
            self._flags.write_text(json.dumps(json.loads(self._assembly.flags), indent=2) + "\n")
        secrets, machines = self._client("secretsmanager"), self._client("stepfunctions")
        for secret in self._assembly.secrets:
            secrets.create_secret(Name=secret.name, SecretString=self._secrets.text(secret.name))
        for machine in self._assembly.state_machines:
            machines.create_state_machine(
                name=machine.name, definition=machine.definition, roleArn=machine.role, type=machine.type
            )
        if self._assembly.buckets:
            storage = self._client("s3")
            for bucket in self._assembly.buckets:
                _create_bucket(storage, bucket)
        if self._assembly.mail_identities:
            mail = self._client("sesv2")
            for identity in self._assembly.mail_identities:
                mail.create_email_identity(EmailIdentity=identity)

    def _create_messaging(self) -> None:
        queues, topics = self._client("sqs"), self._client("sns")
        # a queue's dead-letter queue has to be there before it
        for queue in sorted(self._assembly.queues, key=lambda queue: "RedrivePolicy" in queue.attributes):
            queues.create_queue(QueueName=queue.name, Attributes=dict(queue.attributes))
        for topic in self._assembly.topics:
            topics.create_topic(Name=topic.name)
        for subscription in self._assembly.subscriptions:
            topics.subscribe(
                TopicArn=subscription.topic_arn,
                Protocol=subscription.protocol,
                Endpoint=subscription.endpoint,
                Attributes=dict(subscription.attributes),
            )

    def _create_parameters(self) -> None:
        ssm, kept = self._client("ssm"), self._read_kept()
        for parameter in self._assembly.parameters:
            value = self._settings.get(parameter.name.rsplit("/", 1)[-1])
            if value is None:
                earlier = kept.get(parameter.name, {})
                value = earlier["value"] if earlier.get("declared") == parameter.value else parameter.value
            ssm.put_parameter(
                Name=parameter.name, Value=value, Type=parameter.type, Description=parameter.description
            )

    def _read_kept(self) -> dict[str, dict[str, str]]:
        kept: dict[str, dict[str, str]] = json.loads(self._kept.read_text()) if self._kept.exists() else {}
        return kept

    def _save(self) -> None:
        try:
            self._save_secrets()
            self._save_parameters()
        except (BotoCoreError, ClientError) as error:
            print(f"secrets and parameters were not saved: {error}", flush=True)

    def _save_secrets(self) -> None:
        secrets = self._client("secretsmanager")
        for name in self._secrets.names():
            self._secrets.put(name, secrets.get_secret_value(SecretId=name)["SecretString"])
        self._secrets.save()

    def _save_parameters(self) -> None:
        """Keep those whose value is no longer the one they were created with."""
        ssm, kept = self._client("ssm"), self._read_kept()
        for parameter in self._assembly.parameters:
            found = ssm.get_parameter(Name=parameter.name)["Parameter"]
            if found["Version"] > 1:
                kept[parameter.name] = {"declared": parameter.value, "value": found["Value"]}
        draft = self._kept.with_suffix(".tmp")
        draft.write_text(json.dumps(kept, indent=1))
        draft.replace(self._kept)


def _create_bucket(storage: Any, bucket: Bucket) -> None:
    storage.create_bucket(Bucket=bucket.name)
    if bucket.cors:
        storage.put_bucket_cors(Bucket=bucket.name, CORSConfiguration={"CORSRules": list(bucket.cors)})
    if bucket.told:
        storage.put_bucket_notification_configuration(
            Bucket=bucket.name, NotificationConfiguration={"QueueConfigurations": list(bucket.told)}
        )


def _in_order(triggers: Sequence[Trigger]) -> list[Trigger]:
    """Each trigger after those that it is to follow; else in the order of the stacks."""
    done: dict[str, Trigger] = {}
    waiting = list(triggers)
    while waiting:
        ready = [trigger for trigger in waiting if all(id_ in done for id_ in trigger.after)]
        if not ready:
            raise TriggerError(
                f"the triggers {', '.join(trigger.id for trigger in waiting)} wait for each other"
            )
        done[ready[0].id] = ready[0]
        waiting.remove(ready[0])
    return list(done.values())
