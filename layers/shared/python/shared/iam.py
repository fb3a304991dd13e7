"""Passwords that are signatures: IAM tokens for RDS Proxy and ElastiCache, made without boto3.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
"""

import os

TOKEN_SECONDS = 900


def database_token(host: str, port: int, user: str) -> str:
    """A password for `user` at an RDS Proxy, good for 15 minutes to connect."""
    return _presigned(f"https://{host}:{port}/?Action=connect&DBUser={user}", "rds-db")


def cache_token(name: str, user: str) -> str:
    """A password for `user` at the serverless cache called `name`, good for 15 minutes to connect."""
    return _presigned(
        f"https://{name}/?Action=connect&ResourceType=ServerlessCache&User={user}", "elasticache"
    )


def _presigned(url: str, service: str) -> str:
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    credentials = Credentials(
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        os.environ.get("AWS_SESSION_TOKEN"),
    )
    request = AWSRequest(method="GET", url=url)
    SigV4QueryAuth(credentials, service, os.environ["AWS_REGION"], expires=TOKEN_SECONDS).add_auth(request)
    return str(request.url).removeprefix("https://")
