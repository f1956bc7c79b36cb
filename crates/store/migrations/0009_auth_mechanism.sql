-- The only sign-in mechanism at an endpoint, if the administrator named one.
ALTER TABLE endpoint ADD COLUMN auth_mechanism TEXT;
