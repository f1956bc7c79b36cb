//! The line breaks at every n-th byte of a transfer, or the program dies there. A second run must find everything in order.

use mailhaul_testkit::{Cut, Faults, Mailmaker, Proxy};

use crate::{
    kinds::Kind,
    support::{Pair, all, contents, differences, extent},
};

/// "Größe", as it goes over the wire.
const WIDE: &str = "Gr&APYA3w-e";

/// Place and kind of a cut.
#[derive(Clone, Copy, Debug)]
struct Case {
    kind: Kind,
    /// The number of the case, which chooses the mail.
    number: u64,
    /// True for the connection to the target, false for the source.
    is_target: bool,
    /// From the program to the server.
    is_upload: bool,
    /// [`Cut::Hold`]: the program is killed there.
    cut: Cut,
    /// Index of the part of the transfer in which the cut is.
    part: u64,
    /// Number of parts.
    parts: u64,
}

impl Case {
    /// Faults of the connections to source and target, for a transfer of these bytes.
    fn faults(&self, octets: [[u64; 2]; 2]) -> [Faults; 2] {
        let way = usize::from(self.is_upload);
        let whole = octets[usize::from(self.is_target)][way];
        // Somewhere in its part: at other places in each case.
        let within = Mailmaker::new(self.number).number(1000);
        let at = Some((whole * (1000 * self.part + within) / (1000 * self.parts)).max(1));
        let mut faults = [Faults::default(); 2];
        let [cut_download, cut_upload] = if self.is_upload { [None, at] } else { [at, None] };
        faults[usize::from(self.is_target)] =
            Faults { cut_download, cut_upload, cut: self.cut, ..Faults::default() };
        faults
    }

    async fn pair(&self) -> Pair {
        let pair = Pair::new(Kind::Faithful.personality(), self.kind.personality()).await;
        let mut maker = Mailmaker::new(7 + self.number % 2);
        pair.give("INBOX", &[300, 900, 2_000, 400, 400, 6_000, 300, 700], &mut maker);
        pair.give(WIDE, &[500, 500, 1_200, 500], &mut maker);
        // What stands there twice must stay twice.
        let twin = Mailmaker::new(90);
        (0..2).for_each(|_| pair.give(WIDE, &[800], &mut twin.clone()));
        if self.number.is_multiple_of(3) {
            pair.give("Large", &[400, 300_000, 400], &mut maker);
        }
        pair
    }
}

/// Octets of a whole transfer without faults, on the lines to source and target.
async fn measured(case: &Case) -> [[u64; 2]; 2] {
    let pair = case.pair().await;
    case.kind.begin(&pair.target);
    let lines = [&pair.source, &pair.target].map(|server| Proxy::start(server.port, Faults::default()));
    pair.start(lines.each_ref().map(Proxy::port), &[]).end(|| false).await;
    lines.each_ref().map(Proxy::octets)
}

async fn cut(case: Case, octets: [[u64; 2]; 2]) -> bool {
    let pair = case.pair().await;
    case.kind.begin(&pair.target);
    let faults = case.faults(octets);
    let lines = [Proxy::start(pair.source.port, faults[0]), Proxy::start(pair.target.port, faults[1])];
    let ports = lines.each_ref().map(Proxy::port);
    let is_cut = || lines.iter().any(|line| line.cuts() > 0);
    let mut first = pair.start(ports, &[]);
    first.end(|| case.cut == Cut::Hold && is_cut()).await;
    let was_cut = is_cut();
    let told = first.text();
    pair.target.be_honest();
    let mut second = pair.start(ports, &[]);
    let code = second.end(|| false).await;
    let told = format!("{case:?}, {faults:?}\nfirst run:\n{told}\nsecond run:\n{}", second.text());
    assert_eq!(code, Some(0), "{told}");
    let expected =
        contents(&pair.source, |octets| case.kind.keeps(octets), |flag| case.kind.keeps_flag(flag));
    let found = contents(&pair.target, <[u8]>::to_vec, |_| true);
    let differences = differences(&expected, &found);
    assert!(differences.is_empty(), "{}\n{told}", differences.join("\n"));
    was_cut
}

/// Each line, each way and each ending, at so many places of the transfer.
async fn sweep(kind: Kind) {
    let parts = extent();
    let mut cases = Vec::new();
    for part in 0..parts {
        for cut in [Cut::Close, Cut::Reset, Cut::Hold] {
            for line in 0..4 {
                let number = cases.len() as u64;
                let (is_target, is_upload) = (line % 2 == 0, line < 2);
                cases.push(Case { kind, number, is_target, is_upload, cut, part, parts });
            }
        }
    }
    // The number of a case chooses its mail among six.
    let mut octets = Vec::new();
    for case in cases.iter().take(6) {
        octets.push(measured(case).await);
    }
    let count = cases.len();
    let cuts = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    all(cases, |case| {
        let octets = octets[usize::try_from(case.number % 6).unwrap()];
        let cuts = std::sync::Arc::clone(&cuts);
        async move {
            if cut(case, octets).await {
                cuts.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    })
    .await;
    let cuts = cuts.load(std::sync::atomic::Ordering::Relaxed);
    println!("{kind:?}: {cuts} cuts in {count} transfers");
    assert!(cuts > 0, "nothing was cut");
}

macro_rules! sweeps {
    ($($name:ident: $kind:ident;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                sweep(Kind::$kind).await;
            }
        )+
    };
}

sweeps! {
    cut_on_the_way_to_a_faithful_target: Faithful;
    cut_on_the_way_to_a_target_that_rewrites_the_message_id: RewritesMessageId;
    cut_on_the_way_to_a_target_that_adds_a_line_end: AddsLineEnd;
    cut_on_the_way_to_a_target_that_drops_flags: DropsFlags;
    cut_on_the_way_to_a_target_without_uidplus: WithoutUidplus;
    cut_on_the_way_to_a_target_without_extensions: Bare;
    cut_on_the_way_to_a_target_that_stores_what_it_refuses: StoresOnNo;
}
