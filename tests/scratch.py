"""Where the tests' servers keep what they write: in memory where there is room, since they write many small files."""

import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 4 * 2**30


def scratch_folder(name: str) -> Path:
    """A new folder; whoever asks deletes it.

    Not pytest's tmp_path, which is open to its owner alone: PostgreSQL has another user when the tests are root's.
    """
    is_roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
    folder = Path(tempfile.mkdtemp(prefix=f"box-office-{name}-", dir=_MEMORY if is_roomy else None))
    folder.chmod(0o755)
    return folder
