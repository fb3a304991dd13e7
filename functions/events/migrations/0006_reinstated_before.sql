-- What 0005 adds, for the tickets that were void before it: by themselves, since whoever alters a table keeps its readers
-- waiting. What the code before folds from here on until it is replaced, `events-job-rebuild-sales` counts anew.

-- Whoever folds has a row of this locked first, so that nobody waits in a circle; readers pass.
LOCK TABLE sales_events IN EXCLUSIVE MODE;

WITH voided AS (
    SELECT t.id::uuid AS ticket_id, max(m.version) AS version
      FROM sales_messages m, jsonb_array_elements_text(m.data->'ticketIds') AS t (id)
     WHERE m.type = 'tickets.tickets_voided.v1'
     GROUP BY 1
), issued AS (
    SELECT t."ticketId" AS ticket_id, max(m.version) AS version
      FROM sales_messages m, jsonb_to_recordset(m.data->'tickets') AS t ("ticketId" UUID)
     WHERE m.type = 'tickets.order_issued.v1'
     GROUP BY 1
)
UPDATE sales_tickets k
   SET voided_version = v.version, issued_version = i.version, is_void = coalesce(v.version > i.version, TRUE)
  FROM voided v LEFT JOIN issued i USING (ticket_id)
 WHERE k.ticket_id = v.ticket_id;
