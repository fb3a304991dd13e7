"""The emulated S3: forms are held to their policy, CORS to the bucket's rules, and objects survive."""

import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local import aws_uploads
from local.aws_uploads import Refused
from tests.gallery import multipart, post_form
from tests.small_cloud import emulator

KEY = "uploads/one"


def s3_at(url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def form(s3: Any, seconds: int = 60) -> tuple[str, dict[str, str]]:
    signed = s3.generate_presigned_post(
        Bucket="pictures",
        Key=KEY,
        Fields={"Content-Type": "image/png"},
        Conditions=[{"Content-Type": "image/png"}, ["content-length-range", 2, 10]],
        ExpiresIn=seconds,
    )
    return signed["url"], signed["fields"]


def keys(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket="pictures").get("Contents", [])]


def test_a_form_is_held_to_what_was_signed(tmp_path: Path) -> None:
    with emulator(tmp_path, lambda_port=9) as server:
        s3 = s3_at(server)
        s3.create_bucket(Bucket="pictures")
        url, fields = form(s3)
        wrong = {
            "another key": fields | {"key": "public/one"},
            "another type": fields | {"Content-Type": "text/html"},
            "a forged policy": fields | {"policy": form(s3, 999)[1]["policy"]},
            "no policy": {"key": KEY},
            "a field that nobody signed": fields | {"acl": "public-read"},
        }
        for what, sent in wrong.items():
            assert post_form(url, sent, b"content") == 403, what
        assert post_form(*form(s3, -1), b"content") == 403, "too late"
        assert post_form(url, fields, b"x" * 11) == 400
        assert post_form(url, fields, b"x") == 400
        assert keys(s3) == []

        assert post_form(url, fields, b"content") == 204
        assert s3.get_object(Bucket="pictures", Key=KEY)["ContentType"] == "image/png"


def test_conditions_that_begin_with_are_known_too() -> None:
    assert aws_uploads._meet(["starts-with", "$key", "uploads/"], {"key": KEY}, 1) == "key"
    with pytest.raises(Refused, match="Policy Condition failed"):
        aws_uploads._meet(["starts-with", "$key", "public/"], {"key": KEY}, 1)


def test_a_browser_may_upload_from_the_web_front_end_only(tmp_path: Path) -> None:
    with emulator(tmp_path, lambda_port=9) as server:
        s3 = s3_at(server)
        s3.create_bucket(Bucket="pictures")
        rule = {
            "AllowedOrigins": ["http://localhost:5173"],
            "AllowedMethods": ["POST"],
            "AllowedHeaders": ["*"],
        }
        s3.put_bucket_cors(Bucket="pictures", CORSConfiguration={"CORSRules": [rule]})

        assert allowed_origin(*form(s3), "http://localhost:5173") == "http://localhost:5173"
        assert allowed_origin(*form(s3), "https://evil.example") is None


def allowed_origin(url: str, fields: dict[str, str], origin: str) -> str | None:
    body, content_type = multipart(fields, b"content")
    request = urllib.request.Request(url, body, {"Content-Type": content_type, "Origin": origin})
    with urllib.request.urlopen(request) as answer:
        found: str | None = answer.headers["Access-Control-Allow-Origin"]
        return found


def test_objects_survive_and_deleted_ones_do_not(tmp_path: Path) -> None:
    with emulator(tmp_path, lambda_port=9) as server:
        s3 = s3_at(server)
        s3.create_bucket(Bucket="pictures")
        for key in ("public/a b/ä.jpg", "public/gone.jpg"):
            s3.put_object(
                Bucket="pictures", Key=key, Body=b"one", ContentType="image/jpeg", CacheControl="no-cache"
            )
        s3.put_object(Bucket="pictures", Key="public/a b/ä.jpg", Body=b"two", ContentType="image/jpeg")
        s3.delete_object(Bucket="pictures", Key="public/gone.jpg")
        post_form(*form(s3), b"content")

    with emulator(tmp_path, lambda_port=9) as server:
        s3 = s3_at(server)
        s3.create_bucket(Bucket="pictures")
        assert keys(s3) == ["public/a b/ä.jpg", KEY]
        found = s3.get_object(Bucket="pictures", Key="public/a b/ä.jpg")
        assert (found["Body"].read(), found["ContentType"]) == (b"two", "image/jpeg")
        assert s3.get_object(Bucket="pictures", Key=KEY)["ContentType"] == "image/png"
