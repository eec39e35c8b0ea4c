import { gzipSync } from 'node:zlib'

/**
 * The loop that runs in the remote shell and reads our lines from the terminal in canonical mode, where no line editor
 * interferes and the kernel's echo is faithful. POSIX; dash, bash and busybox ash run it; a simple command costs no
 * process, one with output two (`cksum`, `cat`).
 *
 * A line is `id kind length payload`; payload is printable ASCII, other bytes as `\0ooo`. Kinds and answers (ids are
 * random, so that an answer is never mistaken; the echo of a line does not contain its answer):
 *
 *     +  one part of a long command            ~id+~
 *     =  run the command; -  remove old output files first     ~id^~, then the report of `id`
 *     t  run it on the terminal itself         ~id^~, then the report, empty
 *     ?  how far are you                       ~id:last part:last command~
 *     @  report the last command again         its report
 *     b  its output in lines of base64 or hex  ~id.line number.text~ ..., ~id;lines~
 *     x  end
 *     an empty line                            ~key idle~, without the space
 *     a line that is not as long as it says    ~id!~
 *
 * A report is `~id<exit code:check sum bytes` (without `cksum`: a line of `md5sum`, and one of `wc`), newline, the
 * output, `~id>~`. The size is taken before the output is sent, so that a child in the background that still writes
 * cannot falsify it. A line that begins with a space is run as it is: somebody new has come and wants to install a loop
 * of their own.
 *
 * Two things about busybox: a shell that init started without a controlling terminal gets one by `cttyhack`, or ^C would
 * do nothing; and an error of a special builtin in a subshell below `command eval` makes the subshell go on with our
 * loop (and `exit` would not end it), so after a failure the loop looks whether it still is the process that it began
 * as. It runs from a file where it can, as below another `eval` such a subshell never comes back.
 *
 * Each command has an output file of its own, as a child left behind may still write to an old one.
 */
export function loopScript(key: string, shell: string): string {
  return SCRIPT.replaceAll('KEY', key).replaceAll('SHELL', shell)
}

/** A shell command that succeeds where the device can unpack a packed script. */
export const CAN_UNPACK = `echo ${packed('')}|base64 -d 2>/dev/null|gunzip >/dev/null 2>&1`

/**
 * Typed after the bootstrap's first line, in canonical mode: makes the terminal sane, reads the script in parts (a word
 * that is dropped, a space, the part) up to a dot, and starts the loop's shell.
 */
export function loaderLine(shell: string, packed: boolean): string {
  const unpack = packed ? ';b=$(echo $b|base64 -d|gunzip)' : ''
  return `stty sane 2>/dev/null;b=;while IFS= read -r l&&l=\${l#* };[ "$l" != . ];do b=$b$l;done${unpack};export b;\${__x-} ${shell} -c 'eval "$b"'`
}

/** Short enough that a part which was torn is soon typed again. */
const LOADED_AT_ONCE = 160

/** The script in parts; packed it is half as long, and a slow console takes a while for each byte. */
export function loaderParts(script: string, pack: boolean): string[] {
  const text = pack ? packed(script) : script
  return [...(text.match(new RegExp(`.{1,${LOADED_AT_ONCE}}`, 'g')) ?? []), '.']
}

/** A script as base64 of gzip. */
export function packed(text: string): string {
  return gzipSync(text, { level: 9 }).toString('base64')
}

const SCRIPT = [
  'if [ "${__g-}" ]||(echo </dev/tty) >/dev/null 2>&1;then :;elif command -v cttyhack >/dev/null&&command -v setsid >/dev/null;' +
    'then __g=1;export __g;exec setsid cttyhack SHELL -c "eval \\"\\$b\\"";fi',
  'if [ -z "${__d-}" ];then __d=;for __i in /run /dev/shm /tmp /var/tmp /dev;do ' +
    'if mkdir -m 700 $__i/.KEY 2>/dev/null;then __d=$__i/.KEY;break;fi;done;' +
    'if [ "$__d" ];then export __d b;printf "%s\\n" "$b" >$__d/.loop;exec SHELL $__d/.loop;fi;fi',
  '__s=$b;__i=$__d;unset b __d __g;__d=$__i;__n=-;__p=-;__c=;__v=;__z=0',
  '__t=$(tty 2>/dev/null)||if (echo </dev/tty) >/dev/null 2>&1;then __t=/dev/tty;else __t=/dev/console;fi',
  '__h=;IFS=" " read -r __h __y </proc/self/stat',
  '__k(){ if IFS=" " read -r __y __g </proc/self/stat&&[ "$__y" != "$__h" ];then exec SHELL -c "exit $__r";fi;} 2>/dev/null',
  'if command -v cksum >/dev/null;then __w=cksum;elif command -v md5sum >/dev/null;then __w=__m;else __w="wc -c";fi',
  '__m(){ md5sum "$__d/$__n";wc -c <"$__d/$__n";}',
  'if command -v base64 >/dev/null;then __b=base64;else __b="od -An -v -tx1";fi',
  '__f(){ if [ "$__d" ];then cat "$__d/$__n";else printf %s "$__v";fi;}',
  '__o(){ printf "~%s<%s:" "$__n" "$__r";' +
    'if [ "$__d" ];then if [ -s "$__d/$__n" ];then $__w <"$__d/$__n";cat "$__d/$__n";else echo 0;fi;' +
    'elif [ "$__v" ];then __f|$__w;__f;else echo 0;fi;printf "~%s>~\\n" "$__n";}',
  '__e(){ command eval "$1";}',
  `trap '__r=$?;if [ "$__d" ];then rm -rf "$__d";fi;printf "~%s/%s~\\n" KEY $__r >$__t' EXIT`,
  `trap '__r=131;__o >$__t 2>&1;if [ "$__d" ];then rm -rf "$__d";fi;export b="$__s";exec SHELL -c "eval \\"\\$b\\"" <$__t >$__t 2>&1' QUIT`,
  'trap "exit 129" HUP TERM',
  'printf "~%s%s~\\n" KEY ready',
  'while :;do trap : INT',
  'if IFS= read -r __l;then __z=0;else __z=$((__z+1));if [ $__z -gt 20 ];then exit 0;fi;continue;fi',
  'case $__l in "")printf "~%sidle~\\n" KEY;continue;;" "*)if [ "$__d" ];then rm -rf "$__d";fi;__x=exec;eval "$__l";continue;;esac',
  '__i=${__l%% *};__l=${__l#* };__j=${__l%% *};__l=${__l#* };__m=${__l%% *};__l=${__l#* }',
  'if [ "${#__l}" != "$__m" ];then printf "~%s!~\\n" "$__i";continue;fi',
  'case $__l in *\\\\*)__l=$(printf "%b." "$__l");__l=${__l%.};;esac',
  'case $__j in ' +
    '+)__c=$__c$__l;__p=$__i;printf "~%s+~\\n" "$__i";;' +
    '[=t-])__c=$__c$__l;if [ "$__j" = - ];then rm -f "$__d"/*;fi;__n=$__i;__v=;printf "~%s^~\\n" "$__i";' +
    'if [ "$__j" = t ];then if [ "$__d" ];then :>"$__d/$__n";fi;if __e "$__c";then __r=0;else __r=$?;__k;fi;stty sane 2>/dev/null;' +
    'elif [ "$__d" ];then if __e "$__c" </dev/null >"$__d/$__n" 2>&1;then __r=0;else __r=$?;__k;fi;' +
    'else __v=$(if __e "$__c" </dev/null 2>&1;then echo .0;else echo .$?;fi);__r=${__v##*.};__v=${__v%.*};fi;__c=;__o;;' +
    '\\?)printf "~%s:%s:%s~\\n" "$__i" "$__p" "$__n";;' +
    '@)__o;;' +
    'b)__f|$__b|{ __y=0;while read -r __l;do __y=$((__y+1));printf "~%s.%s.%s~\\n" "$__i" $__y "$__l";done;printf "~%s;%s~\\n" "$__i" $__y;};;' +
    'x)exit 0;;esac',
  'done',
].join(';')
