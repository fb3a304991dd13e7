"""Queue auth-exports: auth's own part of an export, the parts of the others, and files that have to go."""

from functions.auth import export_files, exporting
from functions.auth.database import database
from shared import privacy
from shared.consumer import Consumer, Message
from shared.contracts import ExportDiscarded, ExportPartReady, ExportRequested

consumer = Consumer(database, "auth-exports")


@consumer.on_call(ExportRequested)
def write_part(message: Message[ExportRequested]) -> None:
    """Write what auth holds."""
    privacy.export(database, message.data, exporting.held)


@consumer.on_call(ExportPartReady)
def collect(message: Message[ExportPartReady]) -> None:
    """Count the part; make the file with the last one."""
    exporting.collect(database, message.data)


@consumer.on_call(ExportDiscarded)
def discard(message: Message[ExportDiscarded]) -> None:
    """Delete every file of the export."""
    export_files.delete_all(message.data.export_id)


handler = consumer.handler
