//! From JSON to conditions.

use super::condition::Condition;
use super::field;
use crate::doc::is_true;
use crate::env::Regex;
use serde_json::{Map, Value};
use std::cmp::Ordering::{Equal, Greater, Less};

/// All that can be asked of a value, as PouchDB and CouchDB name it.
const OPERATORS: &str = "$eq, $lte, $lt, $gt, $gte, $exists, $ne, $in, $nin, $size, $mod, $regex, $elemMatch, $type, \
                         $allMatch, $all, $keyMapMatch, $beginsWith, $and, $or, $nor or $not";

pub(super) fn selector(value: &Value) -> Result<Condition, String> {
    match value {
        Value::Object(members) => all(members),
        _ => Err("Selector error: expected a JSON object".to_owned()),
    }
}

/// Everything that is said of one value.
fn all(members: &Map<String, Value>) -> Result<Condition, String> {
    let conditions = members.iter().map(|(name, value)| match name.strip_prefix('$') {
        Some(_) => operator(name, value),
        None => Ok(Condition::Field(field::parse(name), Box::new(condition(value)?))),
    });
    conditions.collect::<Result<_, _>>().map(Condition::All)
}

/// What stands after the name of a field: operators, fields in it, or the value it must be.
fn condition(value: &Value) -> Result<Condition, String> {
    match value {
        Value::Object(members) => all(members),
        value => Ok(Condition::Order(vec![Equal], value.clone())),
    }
}

fn operator(name: &str, value: &Value) -> Result<Condition, String> {
    let order = |orderings: &[_]| Ok(Condition::Order(orderings.to_vec(), value.clone()));
    let boxed = |value| condition(value).map(Box::new);
    match name {
        "$eq" => order(&[Equal]),
        "$gt" => order(&[Greater]),
        "$gte" => order(&[Greater, Equal]),
        "$lt" => order(&[Less]),
        "$lte" => order(&[Less, Equal]),
        "$ne" => Ok(Condition::Other(value.clone())),
        "$exists" => Ok(Condition::Exists(is_true(value))),
        "$type" => Ok(Condition::Type(value.as_str().unwrap_or_default().to_owned())),
        "$in" => Ok(Condition::OneOf(list(name, value)?.clone(), true)),
        "$nin" => Ok(Condition::OneOf(list(name, value)?.clone(), false)),
        "$all" => Ok(Condition::HasAll(list(name, value)?.clone())),
        "$size" => Ok(Condition::Size(value.clone())),
        "$mod" => {
            let mut numbers = list(name, value)?.iter().map(|number| number.as_f64().unwrap_or(f64::NAN));
            let mut next = || numbers.next().unwrap_or(f64::NAN);
            Ok(Condition::Remainder { divisor: next(), remainder: next() })
        }
        "$regex" => Regex::new(text(name, value)?).map(Condition::Matches),
        "$beginsWith" => Ok(Condition::BeginsWith(text(name, value)?.to_owned())),
        "$elemMatch" => boxed(value).map(Condition::Some),
        "$allMatch" => boxed(value).map(Condition::Every),
        "$keyMapMatch" => boxed(value).map(Condition::SomeName),
        "$not" => boxed(value).map(Condition::Not),
        "$and" => conditions(name, value).map(Condition::All),
        "$or" => conditions(name, value).map(Condition::Any),
        "$nor" => Ok(Condition::Not(Box::new(Condition::Any(conditions(name, value)?)))),
        _ => Err(format!("unknown operator \"{name}\" - should be one of {OPERATORS}")),
    }
}

fn conditions(name: &str, value: &Value) -> Result<Vec<Condition>, String> {
    list(name, value)?.iter().map(condition).collect()
}

fn list<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>, String> {
    value.as_array().ok_or_else(|| format!("Query operator {name} must be an array."))
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("Query operator {name} must be a string."))
}
