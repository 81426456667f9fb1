//! Which file names which other file's items, read from the text of both.
//!
//! The compiler's own lexer cuts the text into tokens; the rest is here: `use` trees, paths in the code and in what stands
//! in macros, `mod` blocks, `crate`, `self`, `super`. A path leads to the file that defines the item, through any number
//! of imports and re-exports. What only tests see is left out: `#[cfg(test)]` items and files called `tests.rs`.
//!
//! Two things make no arrow. `pub use` of an item from further inside is a name for it, unless the file uses the item
//! itself. And an import of a whole module says nothing yet: what the file then takes from it does. Methods are not seen:
//! whoever calls one holds a value whose type somebody named.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A file: its path below `src`, and its text.
pub(crate) struct Source {
    pub path: String,
    pub text: String,
}

/// Who names whom, and what of it.
pub(crate) type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

/// Names on the way to a module or an item.
type Path = Vec<String>;

/// What a `use` brings into scope.
struct Import {
    name: String,
    path: Path,
    is_public: bool,
}

/// A module's own text: a file, or a `mod` block in one.
#[derive(Default)]
struct Scope {
    file: String,
    /// Where it stands below its crate. The crate of the commands is kept below `cli`, where its files are.
    module: Path,
    imports: Vec<Import>,
    /// Paths of two names or more, as written.
    paths: BTreeSet<Path>,
    /// Names that stand alone or first in a path.
    words: BTreeSet<String>,
}

/// What a path may lead to. A name can be both: a module's and a function's.
#[derive(Clone, Default)]
struct Target {
    module: Option<Path>,
    /// The file that defines it, and its name.
    item: Option<(String, String)>,
}

/// All modules of the house.
struct House {
    scopes: Vec<Scope>,
    by_module: BTreeMap<Path, usize>,
}

/// Reads who names whom.
///
/// # Panics
/// When a text is not Rust.
pub(crate) fn arrows(sources: &[Source]) -> Arrows {
    let house = House::of(sources);
    let mut arrows = Arrows::new();
    for scope in &house.scopes {
        let mut arrow = |target: Option<(String, String)>| {
            if let Some((file, name)) = target.filter(|(file, _)| *file != scope.file) {
                arrows.entry((scope.file.clone(), file)).or_default().insert(name);
            }
        };
        for import in &scope.imports {
            if !house.is_name_only(scope, import) {
                arrow(house.resolve(scope, &import.path, 0).item);
            }
        }
        for path in &scope.paths {
            arrow(house.resolve(scope, path, 0).item);
        }
    }
    arrows
}

/// The text as tokens.
pub(crate) fn tokens(source: &Source) -> Vec<TokenTree> {
    let stream: TokenStream =
        source.text.parse().unwrap_or_else(|error| panic!("{} is no Rust: {error}", source.path));
    stream.into_iter().collect()
}

impl House {
    fn of(sources: &[Source]) -> Self {
        let mut scopes = Vec::new();
        let mut blocks = Vec::new();
        for source in sources.iter().filter(|source| !is_of_tests(&source.path)) {
            let mut scope =
                Scope { file: source.path.clone(), module: module_of(&source.path), ..Scope::default() };
            scope.read(&tokens(source), &mut blocks);
            scopes.push(scope);
        }
        // Files come first: the build script has blocks that only say where the library's files are.
        scopes.append(&mut blocks);
        let mut by_module = BTreeMap::new();
        for (at, scope) in scopes.iter().enumerate() {
            by_module.entry(scope.module.clone()).or_insert(at);
        }
        Self { scopes, by_module }
    }

    /// Whether a `use` is only a further name for an item from inside the module.
    fn is_name_only(&self, scope: &Scope, import: &Import) -> bool {
        let Some((file, _)) = self.resolve(scope, &import.path, 0).item else { return false };
        let is_inside = |of: &Scope| of.file == file && of.module.starts_with(&scope.module);
        import.is_public && !scope.words.contains(&import.name) && self.scopes.iter().any(is_inside)
    }

    /// Where a path leads that stands in a scope; nowhere when it is none of ours.
    fn resolve(&self, scope: &Scope, path: &[String], depth: usize) -> Target {
        assert!(depth < 32, "{}: {} leads to itself", scope.file, path.join("::"));
        let Some((first, rest)) = path.split_first() else { return Target::default() };
        let in_cli = scope.module.first().is_some_and(|name| name == "cli");
        match first.as_str() {
            "crate" if in_cli => self.find(vec!["cli".to_owned()], rest, depth),
            "crate" => self.find(Path::new(), rest, depth),
            "clickproof" if in_cli => self.find(Path::new(), rest, depth),
            "self" => self.find(scope.module.clone(), rest, depth),
            "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                let above = scope.module.len().saturating_sub(ups);
                self.find(scope.module[..above].to_vec(), &path[ups..], depth)
            }
            _ if self.by_module.contains_key(&child(&scope.module, first)) => {
                self.find(scope.module.clone(), path, depth)
            }
            _ => {
                let import = scope.imports.iter().find(|import| import.name == *first && import.path != path);
                import.map_or_else(Target::default, |import| self.through(scope, import, rest, depth))
            }
        }
    }

    /// Where a path leads that begins in a module of ours.
    fn find(&self, module: Path, path: &[String], depth: usize) -> Target {
        let Some((name, rest)) = path.split_first() else {
            return Target { module: Some(module), item: None };
        };
        let inside = child(&module, name);
        let is_module = self.by_module.contains_key(&inside);
        if is_module && !rest.is_empty() {
            return self.find(inside, rest, depth);
        }
        let inside_module = is_module.then_some(inside);
        let Some(scope) = self.by_module.get(&module).map(|at| &self.scopes[*at]) else {
            return Target { module: inside_module, item: None };
        };
        let is_self = |import: &Import| import.path.len() == 1 && import.name == *name;
        let import = scope.imports.iter().find(|import| import.name == *name && !is_self(import));
        let target = match import {
            Some(import) => self.through(scope, import, rest, depth),
            None if inside_module.is_some() => Target::default(),
            None => Target { module: None, item: Some((scope.file.clone(), name.clone())) },
        };
        Target { module: inside_module.or(target.module), item: target.item }
    }

    /// Where the rest of a path leads behind an import's name.
    fn through(&self, scope: &Scope, import: &Import, rest: &[String], depth: usize) -> Target {
        let target = self.resolve(scope, &import.path, depth + 1);
        match target {
            Target { module: Some(module), .. } if !rest.is_empty() => self.find(module, rest, depth + 1),
            target => target,
        }
    }
}

impl Scope {
    /// Takes note of what tokens name; blocks are scopes of their own.
    fn read(&mut self, tokens: &[TokenTree], blocks: &mut Vec<Self>) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let next = tokens.get(at + 1);
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' && next.is_some_and(is_cfg_test) => {
                    at = behind_item(tokens, at + 2);
                    continue;
                }
                TokenTree::Group(group) => self.read(&group.stream().into_iter().collect::<Vec<_>>(), blocks),
                // `impl Trait + use<'a>` imports nothing.
                TokenTree::Ident(word) if word == "use" && !next.is_some_and(|next| is(next, '<')) => {
                    let end = at + tokens[at..].iter().position(|token| is(token, ';')).unwrap_or_default();
                    self.import(&tokens[at + 1..end], &[], is_public(&tokens[..at]));
                    at = end;
                }
                TokenTree::Ident(word) if word == "mod" && is_block(tokens.get(at + 2)) => {
                    let (Some(name), Some(TokenTree::Group(group))) = (next, tokens.get(at + 2)) else {
                        continue;
                    };
                    let module = child(&self.module, &name.to_string());
                    let mut block = Self { file: self.file.clone(), module, ..Self::default() };
                    block.read(&group.stream().into_iter().collect::<Vec<_>>(), blocks);
                    blocks.push(block);
                    at += 2;
                }
                // Its name is none that the file uses.
                TokenTree::Ident(word) if word == "mod" => at += 1,
                TokenTree::Ident(word) => {
                    let path = path_at(tokens, at);
                    let length = path.len();
                    if !goes_on(&tokens[..at]) {
                        self.words.insert(word.to_string());
                        if length > 1 {
                            self.paths.insert(path);
                        }
                    }
                    // Each name but the first has two colons before it.
                    at += 3 * (length - 1);
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Takes note of a `use` tree.
    fn import(&mut self, tree: &[TokenTree], above: &[String], is_public: bool) {
        for branch in tree.split(|token| is(token, ',')) {
            let (mut path, mut name, mut is_leaf) = (above.to_vec(), None, !branch.is_empty());
            let mut tokens = branch.iter();
            while let Some(token) = tokens.next() {
                match token {
                    TokenTree::Ident(word) if word == "as" => name = tokens.next().map(ToString::to_string),
                    TokenTree::Ident(word) => path.push(word.to_string()),
                    TokenTree::Group(group) => {
                        is_leaf = false;
                        self.import(&group.stream().into_iter().collect::<Vec<_>>(), &path, is_public);
                    }
                    TokenTree::Punct(punct) if punct.as_char() == '*' => path.push("*".to_owned()),
                    _ => {}
                }
            }
            if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            if let Some(last) = path.last().filter(|_| is_leaf) {
                let name = name.unwrap_or_else(|| last.clone());
                self.imports.push(Import { name, path, is_public });
            }
        }
    }
}

/// The names of a path that begins at a token.
fn path_at(tokens: &[TokenTree], at: usize) -> Path {
    let mut path = vec![tokens[at].to_string()];
    let mut rest = &tokens[at + 1..];
    while let [first, second, TokenTree::Ident(word), behind @ ..] = rest
        && is_double(first, second)
    {
        path.push(word.to_string());
        rest = behind;
    }
    path
}

/// Whether what stands before a name makes it no beginning: `.name`, `<T>::name`, `'name`.
fn goes_on(before: &[TokenTree]) -> bool {
    match before {
        [.., first, second] if is_double(first, second) => true,
        // A range's end begins anew.
        [.., first, second] if is(second, '.') => !is(first, '.'),
        [.., last] => is(last, '.') || is(last, '\''),
        [] => false,
    }
}

/// Whether `pub` or `pub(…)` stands last.
fn is_public(before: &[TokenTree]) -> bool {
    match before {
        [.., TokenTree::Ident(word), TokenTree::Group(_)] | [.., TokenTree::Ident(word)] => word == "pub",
        _ => false,
    }
}

/// Tokens but for the items among them that only tests see.
pub(crate) fn without_tests(tokens: &[TokenTree]) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is(token, '#') && tokens.get(at + 1).is_some_and(is_cfg_test) {
            at = behind_item(tokens, at + 2);
        } else {
            kept.push(token.clone());
            at += 1;
        }
    }
    kept
}

/// Where the item ends that begins at a token: behind its block or its semicolon.
fn behind_item(tokens: &[TokenTree], at: usize) -> usize {
    let end = tokens[at..].iter().position(|token| is(token, ';') || is_block(Some(token)));
    end.map_or(tokens.len(), |end| at + end + 1)
}

fn is_cfg_test(attribute: &TokenTree) -> bool {
    matches!(attribute, TokenTree::Group(group) if group.stream().to_string().replace(' ', "") == "cfg(test)")
}

fn is_block(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_double(first: &TokenTree, second: &TokenTree) -> bool {
    matches!(first, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint)
        && is(second, ':')
}

/// Whether a file is its module's tests.
pub(crate) fn is_of_tests(path: &str) -> bool {
    path == "tests.rs" || path.ends_with("/tests.rs")
}

fn child(module: &[String], name: &str) -> Path {
    let mut module = module.to_vec();
    module.push(name.to_owned());
    module
}

/// The module that a file is.
fn module_of(path: &str) -> Path {
    let path = match path {
        // The build script's own: a crate that has the library's modules below itself.
        "compile/main.rs" => "lib.rs",
        "compile/render.rs" => "render.rs",
        path => path,
    };
    let mut module: Path = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}
