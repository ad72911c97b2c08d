/* Starts one program and prints: wall user sys seconds, peak resident KiB, exit status.
 * A process's peak begins with that of the process that forked it, so this one must be small.
 * cc -O2 launch.c -o launch */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  struct timespec a, b;
  clock_gettime(CLOCK_MONOTONIC, &a);
  pid_t pid = vfork();
  if (pid == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    if (!getenv("SHOW")) dup2(null, 2);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  struct rusage use;
  if (wait4(pid, &status, 0, &use) < 0) return 1;
  clock_gettime(CLOCK_MONOTONIC, &b);
  printf("%.4f %.4f %.4f %ld %d\n", (b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9,
         use.ru_utime.tv_sec + use.ru_utime.tv_usec / 1e6, use.ru_stime.tv_sec + use.ru_stime.tv_usec / 1e6,
         use.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
