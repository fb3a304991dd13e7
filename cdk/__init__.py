"""The AWS side of Box Office, written with the CDK. `app.py` puts the stacks together."""
