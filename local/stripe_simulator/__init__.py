"""A payment gateway for one developer's machine that speaks Stripe's HTTP API for what Box Office uses of it.

The official library works against it unmodified. It refuses what Stripe refuses, keeps real idempotency keys, declines
by Stripe's published test tokens and signs its webhooks, so that what passes here is not a surprise in test mode.
Not simulated, and refused rather than ignored: customers, manual capture, payment methods other than cards, Connect.

    python -m local.stripe_simulator --port 12111 --state DIR --webhook-url URL \\
        --secret-key sk_test_… --webhook-secret whsec_…

Where each rule comes from is said beside it; `/_control/` is ours, everything under `/v1/` is Stripe's
(https://docs.stripe.com/api).
"""
