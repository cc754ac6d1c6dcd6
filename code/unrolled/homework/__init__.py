"""Homework that a grader can trust: student code never shares a process with an expected answer.

The modules, in the order in which a submission meets them:

* `notebooks`   reads the source of a homework and a student's notebook, and makes the release from the source;
* `values`      how plain values cross the pipe between two processes;
* `worker`      the program inside the sandbox, which runs the student's cells and answers calls;
* `sandbox`     starts that program in bubblewrap (or, advisory, without), watches it and ends it;
* `session`     asks it questions, within limits of time and size;
* `cases`       what is asked, and how an answer is compared with the reference's;
* `judges`      how a trained model is judged from its predictions;
* `sealed`      cases without their answers, for a student's machine;
* `grading`     the points of one submission;
* `mutants`     typical wrong solutions, which must lose points;
* `classroom`   a folder of submissions, in processes here or on a Dask cluster, resumable;
* `reports`     tables for a terminal, Markdown, JSON and CSV;
* `__main__`    the commands.
"""
