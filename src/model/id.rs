//! Identifiers. All are UUIDs; the ones made here are version 7, so they sort by the time of their making; a manual log that
//! names its id has a record of version 8 (`api::log`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier (UUID version 7, made from the wall clock now).
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// An organisation: the tenant that owns keys, calls and sessions. Every query carries one.
    OrgId
}
uuid_id! {
    /// A call as its sender knows it: `Helicone-Request-Id` if one was given, else the record's own id.
    RequestId
}
uuid_id! {
    /// A record as the gateway made it at acceptance. Never chosen by a client, so a replayed record is recognised
    /// by it even where two different calls carry the same [`RequestId`].
    RecordId
}
uuid_id! {
    /// An API key's public identifier (never the key itself).
    KeyId
}

uuid_id! {
    /// A filter of the dashboard that somebody gave a name.
    SavedFilterId
}

impl OrgId {
    /// The organisation that exists from the first migration on and owns everything while nobody made another.
    pub const DEFAULT: Self = Self(Uuid::from_u128(1));
}
