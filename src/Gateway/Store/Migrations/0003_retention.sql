-- When the payload of an ended dispatch was erased, Unix milliseconds; its header, receipts and entries stay.
ALTER TABLE dispatch ADD COLUMN payload_erased_at INTEGER;

-- What may have to be erased, oldest first.
CREATE INDEX dispatch_retained ON dispatch (class, received_at) WHERE payload_bytes IS NOT NULL AND payload_erased_at IS NULL;
