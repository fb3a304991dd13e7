"""What the role `auditor` may read: columns by name, so that nobody's name, address, card or words are among them.

A column that a check needs is added here; the migrations grant what stands here after every deployment.
"""

AUDITOR = "auditor"

# Of every service.
SHARED = {
    "outbox": "id message_id destination type subject created_at claimed_until published_at",
}

OWN: dict[str, dict[str, str]] = {
    "auth": {},
    "events": {},
    "tickets": {
        "event_copies": "event_id event_date status voided_at refreshed_at",
        "ticket_types": "id event_id quantity_available quantity_sold quantity_held created_at deleted_at",
        "ticket_type_buyers": "ticket_type_id user_id taken allowed",
        "ticket_reservations": "id reservation_id user_id event_id ticket_type_id quantity unit_price currency"
        " reserved_until status order_id created_at",
        "purchases": "order_id reservation_id user_id event_id total_amount currency pay_by status version"
        " notified_outcome late_payment delivery_status created_at",
        "purchase_events": "id order_id version type data created_at",
        "tickets": "id ticket_type_id order_id user_id event_id status version checked_in_at void_reason created_at",
        "ticket_events": "id ticket_id version type data created_at",
    },
    "payments": {
        "orders": "id event_id total_amount currency payment_status payment_method payment_gateway_transaction_id"
        " pay_by captured_amount refunding_amount refunded_amount tickets released_at mail_status dispute version"
        " created_at updated_at",
        "order_items": "order_id ticket_type_id quantity unit_price total_price",
        "order_events": "id order_id version type data created_at",
        "payment_transactions": "id order_id kind payment_method status created_at updated_at",
        "refunds": "id order_id cause amount ticket_ids status gateway_refund_id created_at updated_at",
        "second_payments": "provider intent_id order_id status created_at",
        "webhook_events": "provider event_id type received_at handled_at",
    },
    "notifications": {
        "notifications": "id mail_key order_id status attempts due_at sent_at created_at updated_at",
    },
}


def readable(service: str) -> dict[str, list[str]]:
    """The columns that the auditor may read of a service's database, by table."""
    return {table: columns.split() for table, columns in (SHARED | OWN[service]).items()}
