//! Limit on wrong sign-ins at the console. Pure.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
};

use jiff::{SignedDuration, Timestamp};

/// Wrong sign-ins within [`WINDOW`] from one address.
const MAX_FROM_ONE: u32 = 10;
/// Wrong sign-ins within [`WINDOW`] from all addresses.
const MAX_FROM_ALL: u32 = 60;
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// Wrong sign-ins of the last minute.
#[derive(Default)]
pub(crate) struct Attempts {
    from_one: HashMap<IpAddr, Window>,
    from_all: Option<Window>,
}

#[derive(Clone, Copy)]
struct Window {
    begun: Timestamp,
    wrong: u32,
}

impl Window {
    /// Seconds until the window ends; `None` if it has ended, or if the clock was set back.
    fn seconds_left(self, now: Timestamp) -> Option<i64> {
        let age = now.duration_since(self.begun);
        (age < WINDOW && !age.is_negative()).then(|| (WINDOW - age).as_secs() + 1)
    }
}

/// Address that counts: an IPv6 customer has a network of /64.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

impl Attempts {
    /// Checks if the address may try.
    ///
    /// # Errors
    /// The seconds until it may.
    pub(crate) fn check(&self, address: IpAddr, now: Timestamp) -> Result<(), i64> {
        let left = |window: Option<&Window>, max: u32| {
            window.filter(|it| it.wrong >= max).and_then(|it| it.seconds_left(now))
        };
        let from_one = left(self.from_one.get(&counted(address)), MAX_FROM_ONE);
        match from_one.max(left(self.from_all.as_ref(), MAX_FROM_ALL)) {
            Some(seconds) => Err(seconds),
            None => Ok(()),
        }
    }

    /// Counts a wrong sign-in. Returns true if it is the first of the address in its window.
    pub(crate) fn count_wrong(&mut self, address: IpAddr, now: Timestamp) -> bool {
        // Bounds the memory: at most MAX_FROM_ALL addresses have a window.
        self.from_one.retain(|_, window| window.seconds_left(now).is_some());
        let begin = Window { begun: now, wrong: 0 };
        let all = self.from_all.get_or_insert(begin);
        if all.seconds_left(now).is_none() {
            *all = begin;
        }
        all.wrong += 1;
        let one = self.from_one.entry(counted(address)).or_insert(begin);
        one.wrong += 1;
        one.wrong == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_eleventh_try_waits_for_the_end_of_the_minute() {
        let (mut attempts, here) = (Attempts::default(), IpAddr::from([192, 0, 2, 1]));
        for number in 0..10 {
            assert_eq!(attempts.check(here, at(number)), Ok(()));
            assert_eq!(attempts.count_wrong(here, at(number)), number == 0);
        }
        assert_eq!(attempts.check(here, at(20)), Err(41));
        assert_eq!(attempts.check(IpAddr::from([192, 0, 2, 2]), at(20)), Ok(()));
        assert_eq!(attempts.check("::ffff:192.0.2.1".parse().unwrap(), at(20)), Err(41));
        assert_eq!(attempts.check(here, at(60)), Ok(()));
        assert!(attempts.count_wrong(here, at(60)));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_all_addresses_together() {
        let mut attempts = Attempts::default();
        let address = |network: u16, host: u16| IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, host]);
        for host in 0..10 {
            attempts.count_wrong(address(0, host), at(0));
        }
        assert!(attempts.check(address(0, 99), at(1)).is_err());
        assert!(attempts.check(address(1, 0), at(1)).is_ok());
        for network in 1..=50 {
            attempts.count_wrong(address(network, 0), at(1));
        }
        assert!(attempts.check(address(99, 0), at(2)).is_err());
        assert!(attempts.check(address(99, 0), at(61)).is_ok());
    }
}
