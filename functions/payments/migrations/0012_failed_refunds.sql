-- Money that could not go back is somebody's until it has: the auditor looks for it however old it is.
CREATE INDEX refunds_failed ON refunds (order_id) WHERE status = 'FAILED';
