-- 'OtherMachines' for an endpoint that reaches neither this machine nor addresses of its link.
ALTER TABLE endpoint ADD COLUMN reach TEXT;
