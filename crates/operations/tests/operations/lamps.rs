//! A house of lamps: one operation of each verb, and of each form of URL.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use mailhaul_operations::{
    Answer, Bytes, Caller, Change, Continuation, Credential, DateTime, Failure, Noun, Operation, Operations,
    Role, SecretText, TimeSpan, Verb,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use tokio::sync::Notify;

/// The lamps, and events that tests wait for.
#[derive(Default)]
pub(crate) struct House {
    lamps: Mutex<BTreeMap<String, Lamp>>,
    /// A slow operation has begun.
    pub(crate) begun: Notify,
    /// It may end.
    pub(crate) go_on: Notify,
}

impl House {
    pub(crate) fn lamps(&self) -> MutexGuard<'_, BTreeMap<String, Lamp>> {
        self.lamps.lock().unwrap()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Lamp)) -> Result<Answer<Lamp>, Failure> {
        let mut lamps = self.lamps();
        let lamp = lamps.get_mut(name).ok_or_else(|| missing(name))?;
        change(lamp);
        Ok(Answer::one(lamp.clone()))
    }
}

fn missing(name: &str) -> Failure {
    Failure::not_found(format_args!("there is no lamp \"{name}\"")).with_advice("Get-Lamp shows all.")
}

const LAMP: Noun = Noun { cmdlet: "Lamp", word: "lamp", path: "lamps", about: "Lamps of the house" };
const WIRING: Noun = Noun { cmdlet: "LampWiring", word: "wiring", path: "wiring", about: "The wiring" };
const REPORT: Noun = Noun { cmdlet: "LampReport", word: "report", path: "reports", about: "Reports" };

/// The colour of light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub(crate) enum Colour {
    /// As the sun at noon.
    #[default]
    White,
    /// As a candle.
    Amber,
}

/// A lamp.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Lamp {
    /// Its name.
    pub(crate) identity: String,
    colour: Colour,
    watts: u16,
    rooms: Vec<String>,
    lit: bool,
    owner: Option<String>,
    off_after: Option<DateTime>,
    /// Octets of its manual.
    manual: usize,
}

macro_rules! operation {
    ($name:ident, $verb:ident, $noun:ident, $role:ident, $about:literal, $request:ty => $response:ty,
     |$context:ident, $caller:ident, $given:ident| $run:expr) => {
        pub(crate) struct $name;

        impl Operation<House> for $name {
            const VERB: Verb = Verb::$verb;
            const NOUN: Noun = $noun;
            const ROLE: Role = Role::$role;
            const ABOUT: &'static str = $about;
            const VIEW: &'static [&'static str] = &["Identity", "Colour", "Lit"];

            type Request = $request;
            type Response = $response;

            async fn run(
                $context: &House,
                $caller: &Caller,
                $given: $request,
            ) -> Result<Answer<$response>, Failure> {
                $run
            }
        }
    };
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct New {
    /// The lamp's name.
    name: String,
    /// The power that it takes.
    ///
    /// More is brighter.
    #[serde(default = "sixty")]
    watts: u16,
    /// The colour of its light.
    #[serde(default)]
    colour: Colour,
    /// The rooms that it lights.
    #[serde(default)]
    rooms: Vec<String>,
    /// Lights it at once.
    #[serde(default)]
    auto_start: bool,
    /// Its manual.
    #[serde(rename = "PDFData")]
    pdf_data: Option<Bytes>,
    /// The user who may touch it.
    owner: Option<Credential>,
    /// Opens its case.
    pass_phrase: Option<SecretText>,
    /// Further users who may touch it.
    #[serde(default)]
    owners_by_room: BTreeMap<String, String>,
    /// Then it goes off.
    off_after: Option<DateTime>,
    /// For so long it stays on.
    on_for: Option<TimeSpan>,
    /// The number of times that it may be lit.
    max_uses: Option<Uses>,
}

/// A number, or a word.
pub(crate) struct Uses;

impl<'de> Deserialize<'de> for Uses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(_) => Ok(Self),
            serde_json::Value::String(word) if word.eq_ignore_ascii_case("unlimited") => Ok(Self),
            _ => Err(D::Error::custom("is neither a number nor unlimited")),
        }
    }
}

impl JsonSchema for Uses {
    fn schema_name() -> Cow<'static, str> {
        "Uses".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"] })
    }
}

fn sixty() -> u16 {
    60
}

operation!(NewLamp, New, LAMP, Operator, "Hangs a lamp.", New => Lamp, |house, _caller, request| {
    if request.watts > 100 {
        return Err(Failure::invalid("Watts may be at most 100"));
    }
    let lamp = Lamp {
        identity: request.name.clone(),
        colour: request.colour,
        watts: request.watts,
        rooms: request.rooms,
        lit: request.auto_start || request.on_for.is_some() || request.max_uses.is_some() || !request.owners_by_room.is_empty() || request.pass_phrase.is_some(),
        owner: request.owner.map(|it| it.user_name),
        off_after: request.off_after,
        manual: request.pdf_data.map_or(0, |it| it.len()),
    };
    if house.lamps().contains_key(&request.name) {
        return Err(Failure::conflict(format_args!("there is a lamp \"{}\" already", request.name)));
    }
    house.lamps().insert(request.name, lamp.clone());
    Ok(Answer::one(lamp))
});

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Get {
    /// The lamp; all where it is left out.
    identity: Option<String>,
    /// Only lamps of these colours.
    #[serde(default)]
    colour: Vec<Colour>,
    /// Only lamps that are lit, or that are not.
    lit: Option<bool>,
    /// Also broken ones.
    #[serde(default)]
    include_broken: bool,
    continuation: Option<Continuation>,
}

/// Lamps in one answer.
pub(crate) const PAGE: usize = 2;

operation!(GetLamp, Get, LAMP, Viewer, "Shows lamps.", Get => Lamp, |house, _caller, request| {
    let _ = request.include_broken;
    if let Some(name) = request.identity {
        return house.change(&name, |_| {});
    }
    let after = request.continuation.map(|it| it.0).unwrap_or_default();
    let lamps = house.lamps();
    let mut found = lamps
        .values()
        .filter(|it| it.identity > after)
        .filter(|it| request.colour.is_empty() || request.colour.contains(&it.colour))
        .filter(|it| request.lit.is_none_or(|lit| lit == it.lit));
    let page: Vec<Lamp> = found.by_ref().take(PAGE).cloned().collect();
    let next = found.next().and_then(|_| page.last()).map(|it| it.identity.clone());
    Ok(Answer::page(page, next))
});

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Set {
    /// The lamp.
    identity: String,
    /// The power that it takes.
    watts: Option<u16>,
    /// Then it goes off.
    #[serde(default)]
    off_after: Change<DateTime>,
    /// Opens its case.
    #[serde(default)]
    pass_phrase: Change<SecretText>,
}

operation!(SetLamp, Set, LAMP, Operator, "Changes a lamp.", Set => Lamp, |house, _caller, request| {
    house.change(&request.identity, |lamp| {
        lamp.watts = request.watts.unwrap_or(lamp.watts);
        request.off_after.apply(&mut lamp.off_after);
        lamp.lit |= request.pass_phrase != Change::Keep;
    })
});

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Named {
    /// The lamp.
    identity: String,
}

operation!(StartLamp, Start, LAMP, Operator, "Lights a lamp.", Named => Lamp, |house, _caller, request| {
    house.change(&request.identity, |lamp| lamp.lit = true)
});

operation!(StopLamp, Stop, LAMP, Operator, "Puts a lamp out.", Named => Lamp, |house, _caller, request| {
    house.change(&request.identity, |lamp| lamp.lit = false)
});

operation!(CompleteLamp, Complete, LAMP, Operator, "Finishes a lamp.", Named => Lamp, |house, _caller, request| {
    // Runs until the test ends it: a client that disconnects does not stop it.
    house.begun.notify_one();
    house.go_on.notified().await;
    house.change(&request.identity, |lamp| lamp.watts = 1)
});

operation!(RemoveLamp, Remove, LAMP, Admin, "Takes a lamp down.", Named => Lamp, |house, _caller, request| {
    house.lamps().remove(&request.identity).map(|_| Answer::none()).ok_or_else(|| missing(&request.identity))
});

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Test {
    /// Test voltage.
    #[serde(default)]
    volts: i16,
}

operation!(TestWiring, Test, WIRING, Operator, "Tries the wiring.", Test => Lamp, |_house, _caller, request| {
    assert!(request.volts != 666, "a secret of the operation: hunter2");
    if request.volts < 0 { Err(Failure::unavailable("no current")) } else { Ok(Answer::none()) }
});

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Nothing {}

operation!(GetWiring, Get, WIRING, Viewer, "Shows the wiring.", Nothing => Lamp, |_house, _caller, _request| {
    Ok(Answer::none())
});

operation!(SetWiring, Set, WIRING, Admin, "Changes the wiring.", Test => Lamp, |_house, _caller, request| {
    let _ = request.volts;
    Ok(Answer::none())
});

operation!(ExportReport, Export, REPORT, Viewer, "Writes a lamp's report.", Named => Lamp, |house, _caller, request| {
    house.change(&request.identity, |_| {})
});

pub(crate) fn operations() -> Operations<House> {
    Operations::new()
        .with::<NewLamp>()
        .with::<GetLamp>()
        .with::<SetLamp>()
        .with::<StartLamp>()
        .with::<StopLamp>()
        .with::<CompleteLamp>()
        .with::<RemoveLamp>()
        .with::<TestWiring>()
        .with::<GetWiring>()
        .with::<SetWiring>()
        .with::<ExportReport>()
}
