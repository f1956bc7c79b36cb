//! The part of a limit that one of several nodes gets. Pure.

use strum::Display;

/// A limit of an endpoint that nodes divide.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ShareKind {
    /// Pairs of connections of the source.
    Connections,
    /// Messages and bytes per second, in thousandths.
    Rates,
    /// Bytes of a day that the node has moved and not saved as usage, or may still move ([`crate::Jobs::reserve_bytes`]).
    DayBytes,
}

/// A node's part of a limit, and the amount that it could use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    pub(crate) granted: u64,
    pub(crate) wanted: u64,
}

/// A node's request for a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The limit on all nodes together.
    pub(crate) limit: u64,
    /// The amount that the node uses now.
    pub(crate) taken: u64,
    /// The amount that the node could use, with `taken`.
    pub(crate) wanted: u64,
    /// The node's part until now.
    pub(crate) granted: u64,
    /// Number of the other nodes that come before this one in the order that is the same for all.
    pub(crate) place: usize,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Amount up to which the node may begin to use more.
    pub may_begin: u64,
    /// Amount that the node may go on using.
    pub may_keep: u64,
}

/// Returns the node's part.
///
/// As long as the limit stays the same, the parts of all nodes add up to at most the limit. A node gets what is free. If
/// another node wants more than it has, this node gets at most its fair share. `others` are in the common order.
pub(crate) fn part(request: &Request, others: &[Holding]) -> Part {
    let Request { limit, wanted, granted, place, .. } = *request;
    let free = limit.saturating_sub(others.iter().map(|other| other.granted).sum());
    let is_contended = others.iter().any(|other| other.wanted > other.granted) || free < granted;
    let mut wants: Vec<u64> = others.iter().map(|other| other.wanted).collect();
    wants.insert(place.min(wants.len()), wanted);
    let fair = fair_share(limit, &wants, place);
    let ceiling = if is_contended { fair } else { limit };
    let may_begin = wanted.min(free).min(ceiling);
    Part { may_begin, may_keep: may_begin.max(fair.min(granted)) }
}

/// Returns the share of one of several that want these amounts.
///
/// Who wants less than an equal share gets what it wants; the others divide the rest equally. The first ones get the
/// remainder of the division.
fn fair_share(limit: u64, wants: &[u64], place: usize) -> u64 {
    let (mut rest, mut open): (u64, Vec<usize>) = (limit, (0..wants.len()).collect());
    loop {
        let equal = rest / (open.len() as u64).max(1);
        let (small, large): (Vec<usize>, Vec<usize>) = open.iter().partition(|it| wants[**it] <= equal);
        if small.contains(&place) {
            return wants[place];
        }
        if small.is_empty() {
            let remainder = rest - equal * open.len() as u64;
            let rank = open.iter().take_while(|it| **it != place).count() as u64;
            return equal + u64::from(rank < remainder);
        }
        rest -= small.iter().map(|it| wants[*it]).sum::<u64>();
        open = large;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(limit: u64, taken: u64, wanted: u64, granted: u64) -> Request {
        Request { limit, taken, wanted, granted, place: 0 }
    }

    fn other(granted: u64, wanted: u64) -> Holding {
        Holding { granted, wanted }
    }

    #[test]
    fn parts_of_a_limit_of_twenty() {
        // Taken, wanted, granted; others as granted and wanted; may begin, may keep.
        type Case<'a> = ((u64, u64, u64), &'a [(u64, u64)], (u64, u64));
        let table: [Case<'_>; 9] = [
            ((0, 20, 0), &[], (20, 20)),
            ((0, 3, 0), &[], (3, 3)),
            ((0, 20, 0), &[(0, 0), (0, 0)], (20, 20)),
            // Another node wants more than it has.
            ((20, 20, 20), &[(0, 20)], (10, 10)),
            ((20, 20, 20), &[(0, 4)], (16, 16)),
            ((20, 20, 20), &[(0, 20), (0, 20)], (7, 7)),
            // Nothing is free yet.
            ((0, 20, 0), &[(20, 20)], (0, 0)),
            ((0, 20, 0), &[(12, 20)], (8, 8)),
            // All have what they want.
            ((4, 20, 10), &[(3, 3)], (17, 17)),
        ];
        for ((taken, wanted, granted), others, (begin, keep)) in table {
            let others: Vec<Holding> =
                others.iter().map(|(granted, wanted)| other(*granted, *wanted)).collect();
            let found = part(&request(20, taken, wanted, granted), &others);
            assert_eq!(
                (found.may_begin, found.may_keep),
                (begin, keep),
                "{taken} {wanted} {granted} {others:?}"
            );
        }
    }

    #[test]
    fn after_the_limit_was_lowered_each_keeps_its_share_and_begins_nothing() {
        let found = part(&request(5, 10, 5, 10), &[other(10, 5)]);
        assert_eq!((found.may_begin, found.may_keep), (0, 3));
        // The other one has ended its excess.
        let found = part(&request(5, 3, 5, 3), &[other(2, 5)]);
        assert_eq!((found.may_begin, found.may_keep), (3, 3));
    }

    /// A node of the model.
    #[derive(Clone, Copy, Debug, Default)]
    struct Node {
        taken: u64,
        wanted: u64,
        granted: u64,
        may_begin: u64,
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask { node: usize, wanted: u64 },
        Take { node: usize },
        Return { node: usize },
        Limit(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4usize, 0..30u64).prop_map(|(node, wanted)| Step::Ask { node, wanted }),
            4 => (0..4usize).prop_map(|node| Step::Take { node }),
            2 => (0..4usize).prop_map(|node| Step::Return { node }),
            1 => (1..30u64).prop_map(Step::Limit),
        ]
    }

    proptest! {
        /// Nodes ask, take and give back in any order. While the limit stays, they never use more than it together; and
        /// above a lowered limit, what they use never rises.
        #[test]
        fn nodes_together_keep_the_limit(steps in prop::collection::vec(step(), 1..200)) {
            let (mut nodes, mut limit) = ([Node::default(); 4], 20);
            let used = |nodes: &[Node]| nodes.iter().map(|node| node.taken).sum::<u64>();
            for step in steps {
                let before = used(&nodes);
                match step {
                    Step::Limit(new) => limit = new,
                    Step::Return { node } => nodes[node].taken = nodes[node].taken.saturating_sub(1),
                    Step::Take { node } => nodes[node].taken += u64::from(nodes[node].taken < nodes[node].may_begin),
                    Step::Ask { node, wanted } => {
                        let others: Vec<Holding> = nodes
                            .iter()
                            .enumerate()
                            .filter(|(index, _)| *index != node)
                            .map(|(_, it)| other(it.granted, it.wanted))
                            .collect();
                        let it = &mut nodes[node];
                        let wanted = wanted.max(it.taken);
                        let request = Request { limit, taken: it.taken, wanted, granted: it.granted, place: node };
                        let found = part(&request, &others);
                        (it.wanted, it.may_begin) = (wanted, found.may_begin);
                        it.granted = found.may_begin.max(it.taken);
                    }
                }
                // A node that has not asked since the limit was lowered still uses its old part.
                let asked_all = nodes.iter().map(|node| node.granted).sum::<u64>() <= limit;
                prop_assert!(!asked_all || used(&nodes) <= limit, "{nodes:?} of {limit}, {before} before");
                for node in &nodes {
                    prop_assert!(node.taken <= node.granted, "{nodes:?}");
                }
            }
        }

        /// If all ask again and again and give back what they may not keep, each ends with what it wants or its share.
        #[test]
        fn nodes_come_to_equal_shares(limit in 1..40u64, wants in prop::collection::vec(0..40u64, 1..5)) {
            let mut nodes: Vec<Node> = wants.iter().map(|wanted| Node { wanted: *wanted, ..Node::default() }).collect();
            for _ in 0..6 {
                for index in 0..nodes.len() {
                    let others: Vec<Holding> = nodes
                        .iter()
                        .enumerate()
                        .filter(|(other, _)| *other != index)
                        .map(|(_, it)| other(it.granted, it.wanted))
                        .collect();
                    let it = &mut nodes[index];
                    let request =
                        Request { limit, taken: it.taken, wanted: it.wanted, granted: it.granted, place: index };
                    let found = part(&request, &others);
                    it.taken = found.may_begin;
                    it.granted = found.may_begin;
                }
            }
            let wanting = wants.iter().filter(|wanted| **wanted > 0).count() as u64;
            for node in &nodes {
                let least = node.wanted.min(limit / wanting.max(1));
                prop_assert!(node.taken >= least, "{nodes:?} of {limit}");
            }
            let used: u64 = nodes.iter().map(|node| node.taken).sum();
            prop_assert_eq!(used, limit.min(wants.iter().sum()), "{:?} of {}", nodes, limit);
        }
    }
}
