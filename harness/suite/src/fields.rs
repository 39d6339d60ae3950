//! Every key of a suite that is not a parameter of a component: name, summary, what it takes, default. The checker
//! finds unknown keys and ranges here, and `suites/reference.toml` is written from here, so that neither can go stale.

use std::fmt;

use trailmark_core::ParamKind;

/// A table of the suite.
#[derive(Debug)]
pub(crate) struct Section {
    /// How messages call it.
    pub(crate) name: &'static str,
    /// One line for people.
    pub(crate) summary: &'static str,
    /// Its keys in the order to print them.
    pub(crate) fields: &'static [Field],
}

/// A key.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) takes: Takes,
    pub(crate) default: Fallback,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Takes {
    /// A single value.
    One(ParamKind),
    /// Anything else, in words.
    Other(&'static str),
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(kind) => kind.fmt(f),
            Self::Other(words) => f.write_str(words),
        }
    }
}

/// What a key is when left out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fallback {
    /// It must be given.
    Required,
    /// Off, or worked out as the summary says.
    Absent,
    /// This TOML value.
    Toml(&'static str),
}

impl Section {
    /// The field of that name.
    pub(crate) fn field(&self, name: &str) -> &'static Field {
        self.fields
            .iter()
            .find(|field| field.name == name)
            .unwrap_or_else(|| panic!("{} has no field {name:?} in fields.rs", self.name))
    }
}

const fn whole(min: i64, max: i64) -> Takes {
    Takes::One(ParamKind::Integer { min, max })
}

const fn real(min: f64, max: f64) -> Takes {
    Takes::One(ParamKind::Number { min, max })
}

const TEXT: Takes = Takes::One(ParamKind::Text);
const FLAG: Takes = Takes::One(ParamKind::Flag);

const fn required(name: &'static str, takes: Takes, summary: &'static str) -> Field {
    Field { name, summary, takes, default: Fallback::Required }
}

const fn absent(name: &'static str, takes: Takes, summary: &'static str) -> Field {
    Field { name, summary, takes, default: Fallback::Absent }
}

const fn with(name: &'static str, takes: Takes, default: &'static str, summary: &'static str) -> Field {
    Field { name, summary, takes, default: Fallback::Toml(default) }
}

/// Largest value of n_clusters.
pub(crate) const MAX_CLUSTERS: i64 = 100_000;
/// Largest number of values in a sweep.
pub(crate) const MAX_SWEEP: usize = 1000;

pub(crate) static ROOT: Section = Section {
    name: "a suite",
    summary: "The whole file.",
    fields: &[
        required("schema", whole(1, 1), "version of this format"),
        required("suite", Takes::Other("a table"), "name, seed and question"),
        required("dataset", Takes::Other("[[dataset]] tables"), "the event logs"),
        absent("sequence", Takes::Other("a table"), "from events to one sequence per sample"),
        absent("split", Takes::Other("a table"), "training and test users, history and future"),
        required("encoder", Takes::Other("[[encoder]] tables"), "from sequences to vectors"),
        required("clusterer", Takes::Other("[[clusterer]] tables"), "from vectors to groups"),
        absent("sweep", Takes::Other("a table"), "the numbers of clusters"),
        required("score", Takes::Other("a table"), "what is measured"),
        absent("compare", Takes::Other("[[compare]] tables"), "differences that are tested"),
        absent("gate", Takes::Other("[[gate]] tables"), "what fails a build"),
    ],
};

pub(crate) static SUITE: Section = Section {
    name: "[suite]",
    summary: "What the suite is called and asks.",
    fields: &[
        required("name", TEXT, "name of the suite and, unless told otherwise, of its folder under runs/"),
        with("seed", whole(0, i64::MAX), "0", "every draw derives from this one number"),
        absent("question", TEXT, "the question the report answers; part of no id"),
    ],
};

pub(crate) static DATASET: Section = Section {
    name: "[[dataset]]",
    summary: "An event log. With source = \"synthetic\" the generator's parameters stand beside these keys.",
    fields: &[
        required("id", TEXT, "what the suite calls it"),
        required(
            "source",
            TEXT,
            "`synthetic`, a dataset known by manifest, a RecBole `.inter` file, or a delimited log",
        ),
        with(
            "labels",
            Takes::Other("a list of label names"),
            "[]",
            "reference labels, the first one heading the tables; a delimited log gives all its label_columns",
        ),
        with("max_dropped", real(0.0, 1.0), "0.05", "largest share of unusable rows before reading fails"),
        absent("sample_users", whole(1, i64::MAX), "keep a seeded sample of this many users; left out, all are kept"),
        absent("columns", Takes::Other("a table"), "the column map of a delimited log"),
    ],
};

pub(crate) static COLUMNS: Section = Section {
    name: "[dataset.columns]",
    summary: "Which column of a delimited log is what.",
    fields: &[
        with(
            "delimiter",
            Takes::One(ParamKind::Choice(&[",", ";", "\t", "|"])),
            "\",\"",
            "between fields; a tab when the file's name ends in .tsv",
        ),
        absent("names", Takes::Other("a list of names"), "column names of a file without a header row"),
        required("user", TEXT, "the user; in a log without users, the session"),
        absent("session", TEXT, "the session"),
        absent("item", TEXT, "the item"),
        absent("category", TEXT, "the item's category"),
        absent("event", TEXT, "the event type; left out, every row is a default_event"),
        with("default_event", TEXT, "\"view\"", "the event type of rows without one"),
        absent(
            "time",
            Takes::Other("{ column, format } or { year, month, day }"),
            "the time; left out, rows are in file order and there is no clock",
        ),
        absent("order", TEXT, "order among rows of the same time"),
        absent("value", TEXT, "a number per event: rating, quantity"),
        absent("price", TEXT, "the item's price"),
        absent("query", TEXT, "the text of a search"),
        absent("title", TEXT, "the item's title"),
        with(
            "label_columns",
            Takes::Other("a table from label to column"),
            "{}",
            "attributes of the user, each constant per user",
        ),
        with(
            "rename",
            Takes::Other("a table from column to codes with their names"),
            "{}",
            "readable names for coded values",
        ),
    ],
};

pub(crate) static TIME: Section = Section {
    name: "`time`",
    summary: "How the time of a row is written.",
    fields: &[
        absent("column", TEXT, "the column of the time"),
        absent(
            "format",
            Takes::One(ParamKind::Choice(&["unix_s", "unix_ms", "iso"])),
            "seconds or milliseconds since 1970, or ISO 8601",
        ),
        absent("year", TEXT, "the column of the year"),
        absent("month", TEXT, "the column of the month"),
        absent("day", TEXT, "the column of the day"),
    ],
};

pub(crate) static SEQUENCE: Section = Section {
    name: "[sequence]",
    summary: "From events to one sequence per sample.",
    fields: &[
        with("unit", Takes::One(ParamKind::Choice(&["user", "session"])), "\"user\"", "what one sample is"),
        absent(
            "gap",
            Takes::Other("a length of time"),
            "a longer pause starts a session; left out, the log's session column decides",
        ),
        with(
            "form",
            Takes::Other("{ text, tokens }"),
            "{ text = \"{event} {category} {price_band}\", tokens = \"{event}:{category}\" }",
            "templates of one event: readable text, and token",
        ),
        with("separator", TEXT, "\", \"", "between the texts of events"),
        with("min_events", whole(1, i64::MAX), "3", "shorter histories are left out and counted"),
        with("max_events", whole(1, i64::MAX), "200", "longer histories keep their last events and are counted"),
        with(
            "price_bands",
            Takes::Other("an ascending list of numbers"),
            "[20.0, 100.0]",
            "upper bounds of the price bands behind {price_band}",
        ),
    ],
};

pub(crate) static FORM: Section = Section {
    name: "`form`",
    summary: "Templates of one event.",
    fields: &[
        with("text", TEXT, "\"{event} {category} {price_band}\"", "readable text of one event"),
        with("tokens", TEXT, "\"{event}:{category}\"", "token of one event"),
    ],
};

pub(crate) static SPLIT: Section = Section {
    name: "[split]",
    summary: "Training and test users, history and future.",
    fields: &[
        with("scheme", Takes::One(ParamKind::Choice(&["user_kfold"])), "\"user_kfold\"", "test users are new users"),
        with("folds", whole(2, 1000), "5", "number of folds; fewer than 5 can show little"),
        with("repeats", whole(1, 1000), "1", "how often the users are dealt into folds anew"),
        with(
            "future",
            Takes::Other("\"none\", { last = n } or { after = date }"),
            "\"none\"",
            "what the recommender must predict",
        ),
    ],
};

pub(crate) static FUTURE: Section = Section {
    name: "`future`",
    summary: "What the recommender must predict.",
    fields: &[
        absent("last", whole(1, i64::MAX), "the last n events of every sample"),
        absent(
            "after",
            Takes::Other("a date or an RFC 3339 time"),
            "events at or after this instant, UTC unless it says otherwise",
        ),
    ],
};

pub(crate) static ENCODER: Section = Section {
    name: "[[encoder]]",
    summary: "From sequences to vectors. The parameters of its kind stand beside these keys.",
    fields: &[
        required("id", TEXT, "what the suite calls it"),
        required("kind", TEXT, "which encoder"),
        with(
            "post",
            Takes::Other("a list of post steps, each a name or { kind, .. }"),
            "[]",
            "steps between encoder and clusterer, in order",
        ),
        absent(
            "parts",
            Takes::Other("a list of encoder ids"),
            "for a fusion: the encoders whose vectors, after their own post steps, it joins",
        ),
    ],
};

pub(crate) static POST_STEP: Section = Section {
    name: "a post step",
    summary: "A step between encoder and clusterer. The parameters of its kind stand beside this key.",
    fields: &[required("kind", TEXT, "which post step; its name alone is the step with its defaults")],
};

pub(crate) static CLUSTERER: Section = Section {
    name: "[[clusterer]]",
    summary: "From vectors to groups. The parameters of its kind stand beside these keys.",
    fields: &[required("id", TEXT, "what the suite calls it"), required("kind", TEXT, "which clusterer")],
};

pub(crate) static SWEEP: Section = Section {
    name: "[sweep]",
    summary: "The numbers of clusters.",
    fields: &[
        with(
            "n_clusters",
            Takes::Other("a list of whole numbers or { from, to, step }"),
            "{ from = 2, to = 10 }",
            "values to try, each at least 2",
        ),
        with(
            "pick",
            Takes::One(ParamKind::Choice(&["silhouette", "elbow"])),
            "\"silhouette\"",
            "how n_clusters = auto is chosen on training users",
        ),
        with("min_silhouette", real(-1.0, 1.0), "0.0", "a silhouette that does not exceed this means no structure"),
    ],
};

pub(crate) static RANGE: Section = Section {
    name: "`n_clusters`",
    summary: "A range of values, both ends included.",
    fields: &[
        required("from", whole(2, MAX_CLUSTERS), "the first value"),
        required("to", whole(2, MAX_CLUSTERS), "the last value, if a step lands on it"),
        with("step", whole(1, MAX_CLUSTERS), "1", "the distance of values"),
    ],
};

pub(crate) static SCORE: Section = Section {
    name: "[score]",
    summary: "What is measured.",
    fields: &[
        required(
            "primary",
            TEXT,
            "the metric of the headline: a partition metric, or <recommender>/<ranking metric>@<k>",
        ),
        absent(
            "metrics",
            Takes::Other("a list of names"),
            "partition metrics; left out: all that need no reference labels, and all others where a dataset declares labels",
        ),
        with(
            "distance",
            Takes::One(ParamKind::Choice(&["euclidean", "squared_euclidean", "cosine"])),
            "\"euclidean\"",
            "the distance of internal scores",
        ),
        absent(
            "recommend",
            Takes::Other("{ at, recommenders, exclude_seen }"),
            "recommendation from groups; left out, it is not scored",
        ),
    ],
};

pub(crate) static RECOMMEND: Section = Section {
    name: "`recommend`",
    summary: "Recommendation from groups.",
    fields: &[
        with("at", Takes::Other("a list of whole numbers"), "[10]", "list lengths"),
        absent("recommenders", Takes::Other("a list of names"), "which recommenders; left out: every one there is"),
        with("exclude_seen", FLAG, "false", "leave the items of a user's own history out of the list"),
    ],
};

pub(crate) static COMPARE: Section = Section {
    name: "[[compare]]",
    summary: "A family of differences that is tested.",
    fields: &[
        required(
            "arms",
            Takes::One(ParamKind::Choice(&["encoder", "clusterer"])),
            "what varies; the other stays, and n_clusters is chosen inside the training folds",
        ),
        absent("metric", TEXT, "which metric; left out: the primary one"),
        with("alpha", real(1e-6, 0.5), "0.05", "family-wise error rate"),
    ],
};

pub(crate) static GATE: Section = Section {
    name: "[[gate]]",
    summary: "What fails a build.",
    fields: &[
        absent("metric", TEXT, "which metric; left out: the primary one"),
        required(
            "margin",
            real(0.0, f64::INFINITY),
            "allowed loss in the metric's unit; not given with rule = \"exact\"",
        ),
        with(
            "rule",
            Takes::One(ParamKind::Choice(&["margin", "exact", "non_inferior"])),
            "\"margin\"",
            "how it decides",
        ),
        absent(
            "select",
            Takes::Other("a regular expression"),
            "which arms, by dataset/encoder/clusterer/k=..; left out: every arm with n_clusters = auto",
        ),
    ],
};

/// The source that is the built-in generator.
pub(crate) const SYNTHETIC: &str = "synthetic";

#[cfg(test)]
mod tests {
    use super::*;

    static SECTIONS: &[&Section] = &[
        &ROOT, &SUITE, &DATASET, &COLUMNS, &TIME, &SEQUENCE, &FORM, &SPLIT, &FUTURE, &ENCODER, &POST_STEP, &CLUSTERER,
        &SWEEP, &RANGE, &SCORE, &RECOMMEND, &COMPARE, &GATE,
    ];

    #[test]
    fn the_format_reference_explains_every_key() {
        let path = trailmark_kit::root().join("suites/README.md");
        let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for section in SECTIONS {
            for field in section.fields {
                let named = page.contains(&format!("`{}`", field.name));
                assert!(named, "suites/README.md does not explain `{}` of {}", field.name, section.name);
            }
        }
    }

    #[test]
    fn no_key_is_declared_twice_in_a_section() {
        for section in SECTIONS {
            for (at, field) in section.fields.iter().enumerate() {
                let twice = section.fields[..at].iter().any(|earlier| earlier.name == field.name);
                assert!(!twice, "{} declares {:?} twice", section.name, field.name);
            }
        }
    }
}
