"""A PayPal for one developer's machine: Orders v2 for what Box Office uses of it, with PayPal's manners.

The official library works against it unmodified. It hands out access tokens, keeps request ids, refuses in PayPal's
words, signs its webhooks with a certificate that it serves, and has a page where a buyer approves or goes back.
Not simulated, and refused rather than ignored: authorizations, cards and other payment sources, partner accounts.

    python -m local.paypal_simulator --port 12112 --state DIR --webhook-url URL \\
        --client-id … --client-secret … --webhook-id …

`/_control/` is ours; everything under `/v1/` and `/v2/` is PayPal's (https://developer.paypal.com/api/rest/).
"""
