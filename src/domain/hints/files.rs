//! Commands on files, directories and mounts.

use std::path::Path;

use crate::domain::shell::{Hint, User};

/// Opens a file in the editor.
pub(crate) fn edit(path: &Path) -> Hint {
    Hint::new("\"${EDITOR:-vi}\"").path(path)
}

/// Opens a file in the editor at a line.
pub(crate) fn edit_at(path: &Path, line: u64) -> Hint {
    Hint::new("\"${EDITOR:-vi}\"").number("+", line).path(path)
}

/// Says where a variable has to be taken out of settings of the Claude CLI.
pub(crate) fn take_out_of_settings(variable: &'static str, path: &Path) -> Hint {
    Hint::new("take").then(variable).then("out of \"env\" in").path(path)
}

/// Renames a variable in settings of the Claude CLI.
pub(crate) fn rename_in_settings(variable: &str, path: &Path) -> Hint {
    let script = format!("s/\"{variable}\"/\"UNUSED_{variable}\"/");
    Hint::new("sed -i").arg(script).path(path)
}

/// Comments the lines of a cron table out that have one of these words.
pub(crate) fn comment_out(words: &[&str], path: &Path) -> Hint {
    let words: Vec<String> = words.iter().map(|word| word.replace('.', "\\.")).collect();
    let script = format!("/{}/s/^[^#]/# &/", words.join("\\|"));
    Hint::new("sed -i").arg(script).path(path)
}

/// Shows the owner and the mode of every component of a path.
pub(crate) fn show_way(path: &Path) -> Hint {
    Hint::new("namei -l").path(path)
}

/// Shows a file's owner and mode.
pub(crate) fn list(path: &Path) -> Hint {
    Hint::new("ls -l").path(path)
}

/// Shows the file system that a path lies on.
pub(crate) fn show_file_system(path: &Path) -> Hint {
    Hint::new("findmnt -T").path(path)
}

/// Shows the mount that a path lies on without asking the file system itself.
pub(crate) fn show_mount(path: &Path) -> Hint {
    Hint::new("grep -F").path(path).then("/proc/self/mountinfo")
}

/// Shows what a process has mounted at a path. It changes nothing: the number may be another
/// process's by the time that it is run.
pub(crate) fn show_mount_of_process(id: u32, place: &Path) -> Hint {
    Hint::new("findmnt").number("-N ", id).path(place)
}

/// Keeps a file to its owner.
pub(crate) fn keep_private(path: &Path) -> Hint {
    Hint::new("chmod 600").path(path)
}

/// Takes the right to write from all but the owner.
pub(crate) fn close(path: &Path) -> Hint {
    Hint::new("chmod go-w").path(path)
}

/// Takes all rights from the group, from others, or from both.
pub(crate) fn close_to(bits: u32, path: &Path) -> Hint {
    let chmod = match bits {
        0o070 => "chmod g=",
        0o007 => "chmod o=",
        _ => "chmod go=",
    };
    Hint::new(chmod).path(path)
}

/// Gives the owner all rights in a directory.
pub(crate) fn open_to_owner(path: &Path) -> Hint {
    Hint::new("chmod u+rwx").path(path)
}

/// Gives what stands under a name, and no link's aim, to a user.
pub(crate) fn give(user: &User, path: &Path) -> Hint {
    Hint::new("chown -h").owner(user).path(path)
}

/// The same with all that lies below: `-R` follows no link, and `-h` changes none's aim.
pub(crate) fn give_tree(user: &User, path: &Path) -> Hint {
    Hint::new("chown -hR").owner(user).path(path)
}

/// Gives it to the account of a name.
pub(crate) fn give_to(name: &str, path: &Path) -> Hint {
    Hint::new("chown -h").glue_after(name, ":").path(path)
}

/// Gives it to root.
pub(crate) fn give_to_root(path: &Path) -> Hint {
    Hint::new("chown -h root:").path(path)
}

/// Removes a file or a link.
pub(crate) fn remove(path: &Path) -> Hint {
    Hint::new("rm").path(path)
}

/// Removes a file after asking.
pub(crate) fn remove_asking(path: &Path) -> Hint {
    Hint::new("rm -i --").path(path)
}

/// Removes a lock, which is a directory.
pub(crate) fn remove_lock(path: &Path) -> Hint {
    Hint::new("rm -r").path(path)
}

/// Removes an empty directory.
pub(crate) fn remove_directory(path: &Path) -> Hint {
    Hint::new("rmdir").path(path)
}

/// Renames a file, over no other one.
pub(crate) fn rename(path: &Path, to: &Path) -> Hint {
    Hint::new("mv -n").path(path).path(to)
}

/// Puts a copy of a file in a link's place.
pub(crate) fn replace_by_copy(aim: &Path, path: &Path) -> Hint {
    Hint::new("cp -p --remove-destination").path(aim).path(path)
}

/// Makes an empty file, with its directories.
pub(crate) fn make_empty(path: &Path) -> Hint {
    Hint::new("install -D /dev/null").path(path)
}

/// Takes an attribute of chattr(1) away: `i` or `a`.
pub(crate) fn take_attribute(letter: char, path: &Path) -> Hint {
    Hint::new(if letter == 'i' { "chattr -i" } else { "chattr -a" }).path(path)
}

/// Unmounts a path: no program of the mount's own is run, and no link is followed.
pub(crate) fn unmount(path: &Path) -> Hint {
    Hint::new("umount -i -c").path(path)
}

/// Makes the mount writable that the shell is in.
pub(crate) fn make_writable_here() -> Hint {
    Hint::new("mount -i -c -o remount,rw .")
}

/// Makes a mount of root's writable.
pub(crate) fn make_writable(point: &Path) -> Hint {
    Hint::new("mount -o remount,rw").path(point)
}

/// Has a command run in a directory.
pub(crate) fn run_in(directory: &Path, command: Hint) -> Hint {
    Hint::new("cd").path(directory).and(command)
}
