-- Fingerprints have one hash for each of 16 minima, and no longer one for two of them. They are computed again when Marquee
-- starts.
update reviews set fingerprinted = 0 where fingerprinted = 1;
