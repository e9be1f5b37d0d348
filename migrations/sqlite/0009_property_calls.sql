-- How many of the session's calls have the property: where it is all of them, what is asked of them is asked of the session.
-- NULL: not counted; rows of earlier versions stay so, and for those calls are looked at.
ALTER TABLE session_property ADD COLUMN calls BIGINT;
