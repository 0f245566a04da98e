import { type LabelWorld, labelTasks } from '../flow/label-keywords.ts'
import { type WarehouseWorld, warehouseTasks } from '../flow/load-warehouse.ts'
import { type MaintenanceWorld, maintenanceTasks } from '../flow/maintain-table.ts'
import { type CollectionWorld, collectionTasks } from '../flow/publish-collection.ts'
import { type PublishWorld, publishTasks } from '../flow/publish-table.ts'
import { type ModelWorld, modelTasks } from '../flow/run-model.ts'
import { type PlainTaskWorld, plainTasks } from '../flow/run-plain-task.ts'
import { type SyncTaskWorld, syncTasks } from '../flow/sync-tasks.ts'
import type { Task } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'

/** What the doorways need to make and carry out tasks: one of each for the whole process. */
export interface TaskWorld
  extends LabelWorld,
    ModelWorld,
    PublishWorld,
    CollectionWorld,
    WarehouseWorld,
    SyncTaskWorld,
    PlainTaskWorld,
    MaintenanceWorld {}

/** A doorway's tasks for a pipeline. */
type TaskSource = (
  world: TaskWorld,
  plan: PipelinePlan,
) => readonly Task[] | Promise<readonly Task[]>

/** Every kind of task, one line each. */
const TASK_SOURCES: readonly TaskSource[] = [
  labelTasks,
  modelTasks,
  publishTasks,
  collectionTasks,
  warehouseTasks,
  syncTasks,
  plainTasks,
  maintenanceTasks,
]

/** Every task of some pipelines. @throws whatever a doorway finds wrong with a plan, such as ModelInvalidError */
export async function tasksOf(
  world: TaskWorld,
  plans: readonly PipelinePlan[],
): Promise<readonly Task[]> {
  const tasks: Task[] = []
  for (const plan of plans)
    for (const source of TASK_SOURCES) tasks.push(...(await source(world, plan)))
  return tasks
}
