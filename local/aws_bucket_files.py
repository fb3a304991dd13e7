"""Keeps what lies in moto's buckets in files, so that it is there again after the emulation was killed.

The databases know which pictures there are, and expect S3 to have them. A file per object, written before S3 answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from moto.s3.models import FakeBucket, FakeKey, S3Backend

from local.aws_replace import replace


class Files:
    """A folder per bucket: the objects under their quoted keys, and beside each its metadata as JSON."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, bucket: str, key: FakeKey) -> None:
        """The object is as it is now."""
        file = self._file(bucket, key.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file.with_suffix(".json"), json.dumps(dict(key._metadata)).encode())
        _write(file, key.value)

    def forget(self, bucket: str, name: str) -> None:
        """The object was deleted."""
        file = self._file(bucket, name)
        file.unlink(missing_ok=True)
        file.with_suffix(".json").unlink(missing_ok=True)

    def of(self, bucket: str) -> list[tuple[str, bytes, dict[str, str]]]:
        """Key, content and metadata of all that lies in a bucket."""
        files = sorted((self._folder / bucket).glob("*.object"))
        return [
            (unquote(file.stem), file.read_bytes(), json.loads(file.with_suffix(".json").read_text()))
            for file in files
        ]

    def _file(self, bucket: str, name: str) -> Path:
        return self._folder / bucket / f"{quote(name, safe='')}.object"


def install(folder: Path) -> None:
    """Keep every bucket from now on, and fill each with what was kept of it when it is created."""
    files = Files(folder)
    create, put, delete = S3Backend.create_bucket, S3Backend.put_object, S3Backend.delete_object
    set_metadata = FakeKey.set_metadata

    def create_bucket(self: S3Backend, bucket_name: str, *args: Any, **options: Any) -> FakeBucket:
        is_new = bucket_name not in self.buckets
        bucket = create(self, bucket_name, *args, **options)
        if is_new:
            for name, content, metadata in files.of(bucket_name):
                put(self, bucket_name, name, content, disable_notification=True).set_metadata(metadata)
        return bucket

    def put_object(self: S3Backend, bucket_name: str, key_name: str, *args: Any, **options: Any) -> FakeKey:
        key = put(self, bucket_name, key_name, *args, **options)
        files.keep(bucket_name, key)
        return key

    def delete_object(self: S3Backend, bucket_name: str, key_name: str, *args: Any, **options: Any) -> Any:
        answer = delete(self, bucket_name, key_name, *args, **options)
        files.forget(bucket_name, key_name)
        return answer

    def set_metadata_too(self: FakeKey, metadata: Any, replace: bool = False) -> None:
        set_metadata(self, metadata, replace)
        if self.bucket_name is not None:
            files.keep(self.bucket_name, self)

    replace(S3Backend, create_bucket=create_bucket, put_object=put_object, delete_object=delete_object)
    replace(FakeKey, set_metadata=set_metadata_too)


def _write(file: Path, content: bytes) -> None:
    draft = file.with_suffix(f"{file.suffix}.tmp")
    draft.write_bytes(content)
    draft.replace(file)
